/** The page below a path prefix, as a program serves it that embeds Jobwire. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openTestPage, type TestPage } from "#test/browser/page.fixture.ts";
import { SECRET, tokenFor } from "#test/transports/signed-in.fixture.ts";
import { launchBrowser } from "./browser.ts";
import { type KindsServer, showKinds, startKinds } from "./kinds.fixture.ts";
import { openPrefixProxy, type PrefixProxy } from "./prefix-proxy.fixture.ts";
import { headingBadge } from "./samples.ts";

let server: KindsServer;
let proxy: PrefixProxy;
let browser: Browser;
let opened: TestPage;
let page: Page;

beforeAll(async () => {
  server = await startKinds({ AUTH_JWT_SECRET: SECRET });
  proxy = await openPrefixProxy(server.url, "/tools/jobs-ui");
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  proxy.close();
  await server.close();
});
beforeEach(async () => {
  opened = await openTestPage(browser);
  page = opened.page;
  await showKinds(page, ["thumbnails"]);
  await signInAt("/");
});
afterEach(async () => {
  await opened.close();
  const strayed = proxy.strayed.splice(0);
  if (strayed.length > 0) throw new Error(`The page asked for ${strayed.join(", ")}.`);
});

const go = (path: string) => page.goto(proxy.url + path);
const wire = (name: string) => page.getByRole("list", { name: `Frames of ${name}` });
const isLive = () => page.locator("[data-connection=live]").waitFor();

async function signInAt(path: string): Promise<void> {
  await go(path);
  const field = page.getByLabel("API key or token");
  await field.fill(await tokenFor("ann"));
  await field.press("Enter");
  await isLive();
}

/** Resolves to the address of the job's page, which is open. */
async function createJob(): Promise<string> {
  await page.getByRole("link", { name: "New job" }).click();
  await page.getByLabel("Picture").fill("https://example.com/a.png");
  await page.getByLabel("widths 1").fill("320");
  await page.getByRole("button", { name: "Create job" }).click();
  await headingBadge(page, "DELIVERED").waitFor();
  return page.url();
}

test("a job is created and watched there, and its address opens it again", async () => {
  await page.getByRole("heading", { name: "Jobs", level: 1 }).waitFor();
  const address = await createJob();
  expect(address).toMatch(new RegExp(`^${proxy.url}/jobs/[0-9a-f-]{36}$`));
  await page.reload();
  await headingBadge(page, "DELIVERED").waitFor();
  await isLive();
  for (const [link, path] of [
    ["Jobs", "/"],
    ["Batches", "/batches"],
    ["Console", "/console"],
  ] as const) {
    await page.getByRole("link", { name: link, exact: true }).click();
    await page.getByRole("heading", { name: link, level: 1 }).waitFor();
    expect(page.url()).toBe(proxy.url + path);
    await page.reload();
    await page.getByRole("heading", { name: link, level: 1 }).waitFor();
  }
  const logo = page.getByRole("banner").locator("img");
  expect(await logo.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
});

test("the console connects on both protocols", async () => {
  const address = await createJob();
  await go(`/console?job=${address.split("/").at(-1)}`);
  await wire("Socket.IO").getByText("job:completed").waitFor();
  await wire("tRPC").getByText("1 created").waitFor();
  expect(await page.getByRole("alert").count()).toBe(0);
});

test("a share link leads there, and signing out too", async () => {
  await createJob();
  await page.getByRole("button", { name: "Share", exact: true }).click();
  await page.getByRole("button", { name: "Make a link" }).click();
  const link = await page.getByLabel("The new link").inputValue();
  expect(link.startsWith(`${proxy.url}/share#`)).toBe(true);
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();

  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in to Jobwire" }).waitFor();
  await page.goto(link);
  await headingBadge(page, "DELIVERED").waitFor();
});

test("the link that skips to the content stays on the page", async () => {
  await createJob();
  const address = page.url();
  await page.evaluate("window.isSame = true");
  const skip = page.getByRole("link", { name: "Skip to the content" });
  expect(await skip.evaluate((link: HTMLAnchorElement) => link.href)).toBe(`${address}#main`);
  await skip.focus();
  await page.keyboard.press("Enter");
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
  expect(await page.evaluate("window.isSame")).toBe(true);
  expect(page.url()).toBe(address);
});

/** Share links in a real browser: a person makes one, and others open it without signing in. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type RunningServer, startServer } from "#e2e/server.ts";
import {
  DESKTOP,
  faultsInAllLooks,
  openTestPage,
  PHONE,
  type TestPage,
} from "#test/browser/page.fixture.ts";
import { SECRET, tokenFor } from "#test/transports/signed-in.fixture.ts";
import { launchBrowser } from "./browser.ts";
import { articleAbout, headingBadge } from "./samples.ts";

const SCREENS = process.env.SHARE_SCREENS;

let server: RunningServer;
let browser: Browser;
let owner: TestPage;
let page: Page;
let viewer: TestPage;

beforeAll(async () => {
  server = await startServer({ env: { AUTH_JWT_SECRET: SECRET, OFFLINE_PACE_MS: "0" } });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});

beforeEach(async () => {
  owner = await openTestPage(browser, { permissions: ["clipboard-read", "clipboard-write"] });
  viewer = await openTestPage(browser);
  page = owner.page;
  await signInAs(page, "ann");
});
afterEach(async () => {
  await owner.close();
  await viewer.close();
});

async function signInAs(on: Page, user: string, scope?: string): Promise<void> {
  await on.goto(server.url);
  const field = on.getByLabel("API key or token");
  await field.waitFor();
  await field.fill(await tokenFor(user, scope === undefined ? {} : { scope }));
  await field.press("Enter");
  await on.getByRole("button", { name: /^Account/ }).waitFor();
}

/** Creates it as ann. Resolves to the id. */
async function create(path: string, json: object): Promise<string> {
  const response = await fetch(`${server.url}/trpc/${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${await tokenFor("ann")}`,
    },
    body: JSON.stringify({ json }),
  });
  const { result } = (await response.json()) as { result: { data: { json: { id: string } } } };
  return result.data.json.id;
}

const article = () => ({
  kind: "article",
  input: { ...articleAbout(server.url), llmProvider: "offline" },
});

const dialog = () => page.getByRole("dialog", { name: "Share by a link" });
const log = (on: Page) => on.getByRole("region", { name: "Log", exact: true });
const shareButton = (on = page) => on.getByRole("button", { name: "Share", exact: true });

/** Resolves to the address of a new link. */
async function makeLink(): Promise<string> {
  await dialog().getByRole("button", { name: "Make a link" }).click();
  const field = dialog().getByLabel("The new link");
  await field.waitFor();
  return field.inputValue();
}

/** Of the four ways in which people see a page. */
async function look(on: Page, name: string): Promise<void> {
  const faults = await faultsInAllLooks(on, [PHONE, DESKTOP], async ({ width, theme }) => {
    if (SCREENS === undefined) return;
    await on.screenshot({ path: `${SCREENS}/${name}-${width}-${theme}.png` });
  });
  expect(faults).toEqual([]);
}

test("[P21] [P22] a person shares a job by a link; its viewer reads it without signing in, until it is switched off", async () => {
  const jobId = await create("job.create", article());
  await page.goto(`${server.url}/jobs/${jobId}`);
  await headingBadge(page, "DELIVERED").waitFor();
  await log(page).waitFor();
  await shareButton().click();
  await dialog().getByLabel("It ends after").selectOption("1 day");
  const address = await makeLink();
  expect(address.startsWith(`${server.url}/share#`)).toBe(true);
  await dialog().getByRole("button", { name: "Copy" }).click();
  await dialog().getByText("Copied.").waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(address);
  await look(page, "dialog");

  const requested: string[] = [];
  const shared = viewer.page;
  shared.on("request", (request) => requested.push(request.url()));
  await shared.goto(address);
  await headingBadge(shared, "DELIVERED").waitFor();
  await shared.locator("article").waitFor();
  await shared.locator("[data-connection=live]").waitFor();
  // No address that the browser asked a server for has the token.
  const [, token = ""] = address.split("#");
  expect(requested.filter((url) => url.includes(token.slice(-40)))).toEqual([]);
  expect(await log(shared).count()).toBe(0);
  expect(await shared.getByRole("navigation").count()).toBe(0);
  expect(await shared.getByLabel("API key or token").count()).toBe(0);
  expect(await shared.getByRole("link", { name: /job|batch/i }).count()).toBe(0);
  const buttons = await shared.getByRole("button").allTextContents();
  expect(
    buttons.filter((name) => /approve|reject|retry|cancel|regenerate|share/i.test(name)),
  ).toEqual([]);
  await look(shared, "viewer");

  await dialog().getByRole("button", { name: "Switch off" }).click();
  await shared.getByRole("heading", { name: "This link shows nothing any more" }).waitFor();
  await dialog().getByRole("button", { name: "Switch off" }).waitFor({ state: "detached" });
  expect(await dialog().getByLabel("The new link").count()).toBe(0);
  await look(shared, "ended");
  await shared.reload();
  await shared.getByRole("heading", { name: "This link shows nothing any more" }).waitFor();
});

test("[P21] a link to a batch shows its progress without its jobs", async () => {
  const jobs = [article(), article()];
  const batchId = await create("batch.create", { name: "Two articles", jobs });
  await page.goto(`${server.url}/batches/${batchId}`);
  await page.getByRole("heading", { name: "Two articles" }).waitFor();
  await shareButton().click();
  const shared = viewer.page;
  await shared.goto(await makeLink());
  await shared.getByRole("heading", { name: "Two articles" }).waitFor();
  await shared.getByText("100%").waitFor();
  expect(await shared.getByRole("heading", { name: /^Jobs/ }).count()).toBe(0);
  expect(await shared.getByRole("button", { name: "Cancel batch" }).count()).toBe(0);
  await look(shared, "batch");
});

test("[P22] only the owner of a job and others with `tenant` are offered to share it, and a broken link says so", async () => {
  const jobId = await create("job.create", article());
  const other = viewer.page;
  await signInAs(other, "bob", "jobs:read tenant");
  await other.goto(`${server.url}/jobs/${jobId}`);
  await shareButton(other).waitFor();
  const link = await openTestPage(browser);
  await signInAs(link.page, "eve", `jobs:read job:${jobId}:read`);
  await link.page.goto(`${server.url}/jobs/${jobId}`);
  await headingBadge(link.page, "DELIVERED").waitFor();
  expect(await shareButton(link.page).count()).toBe(0);
  await link.page.goto(`${server.url}/share#nothing`);
  await link.page.getByRole("heading", { name: "This link shows nothing any more" }).waitFor();
  await link.close();
});

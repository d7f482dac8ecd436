/** The page with the system's theme, without a server, and with every outcome of jobs. */
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Pages, startPages } from "#e2e/pages.ts";
import { type RunningServer, startServer } from "#e2e/server.ts";
import { launchBrowser } from "./browser.ts";
import { articleAbout, createArticles, headingBadge } from "./samples.ts";

let pages: Pages;
let server: RunningServer;
let browser: Browser;
/** One for all tests: a new one takes more of the processor than what is loaded into it. */
let page: Page;

beforeAll(async () => {
  pages = await startPages();
  // FETCH_ALLOW covers the server's own samples and the pages that can be held.
  server = await startServer({
    env: { ...pages.env, OFFLINE_PACE_MS: "0", FETCH_ALLOW: "127.0.0.1,localhost" },
  });
  browser = await launchBrowser();
  page = await (await browser.newContext()).newPage();
});
afterAll(async () => {
  await browser.close();
  await server.stop();
  await pages.close();
});

const go = (path: string) => page.goto(server.url + path);
const badge = (status: string) => headingBadge(page, status);
const good = () => articleAbout(server.url);
const thin = () => articleAbout(server.url, { target: "thin", anchorText: "our shop" });
const createBatch = (name: string, inputs: object[]) =>
  createArticles(page, server.url, name, inputs);
const left = async (part: Locator) => (await part.boundingBox())?.x;

test("a batch shows which jobs need a decision and which are running", async () => {
  pages.hold();
  const batch = await createBatch("to decide", [pages.article, thin()]);
  await go(`/batches/${batch}`);
  await page.getByRole("region", { name: "Running now" }).getByRole("link").first().waitFor();
  pages.release();
  await badge("completed").waitFor();
  expect(await badge("completed").textContent()).toBe("1 to decide");
  await page.getByText("1 job needs your decision").waitFor();
  const jobs = page.getByRole("region", { name: "Jobs" }).getByRole("link");
  await jobs.nth(1).waitFor();
  await page.getByRole("link", { name: "Show only these" }).click();
  await jobs.nth(1).waitFor({ state: "detached" });
  await jobs.click();
  await badge("BLOCKED").waitFor();
  await page.goBack();
  await page.getByRole("button", { name: "Blocked", pressed: true }).waitFor();
  expect(await jobs.count()).toBe(1);
  await go("/batches");
  await page.getByText("2 of 2 jobs settled, 1 needs your decision").first().waitFor();
});

test("the jobs of a batch are in the order of its rows, over any number of pages", async () => {
  const anchors = Array.from({ length: 60 }, (_, index) => `row ${index + 1}.`);
  const batch = await createBatch(
    "in order",
    anchors.map((anchorText) => articleAbout(server.url, { target: "nowhere", anchorText })),
  );
  await go(`/batches/${batch}`);
  const jobs = page.getByRole("region", { name: "Jobs" }).getByRole("link");
  await jobs.nth(anchors.length - 1).waitFor();
  const titles = await jobs.allTextContents();
  expect(titles.map((title) => /^row \d+\./.exec(title)?.[0])).toEqual(anchors);
});

test("a batch that another client creates appears in the list", async () => {
  await go("/batches");
  await page.locator("[data-connection=live]").waitFor();
  await page.getByRole("heading", { name: "Batches" }).waitFor();
  await page.getByRole("status", { name: "Loading" }).waitFor({ state: "hidden" });
  await createBatch("of another client", [good()]);
  const link = page.getByRole("link", { name: /of another client/ });
  await link.waitFor();
  expect(await link.count()).toBe(1);
});

test("the sample rows of a batch are valid", async () => {
  await go("/batches/new");
  await page.getByRole("button", { name: "Fill in sample rows" }).click();
  await page.getByText("4 rows are ready").waitFor();
  expect(await page.getByRole("button", { name: "Create batch of 4" }).isEnabled()).toBe(true);
});

test("the form has samples, accepts a pasted address, and offers only configured writers", async () => {
  await go("/jobs/new");
  await page.getByRole("button", { name: "Household money" }).click();
  expect(await page.getByLabel("Anchor text").inputValue()).toBe("emergency fund");
  const publisher = page.getByLabel("Publisher");
  await publisher.fill(`http://${await publisher.inputValue()}`);
  const openai = page.getByLabel("Writer").locator("option[value=openai]");
  await openai.and(page.locator("[disabled]")).waitFor({ state: "attached" });
  expect(await page.getByLabel("Writer").locator("option[value=offline]").isDisabled()).toBe(false);
  await page.getByRole("button", { name: "Create job" }).click();
  await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
  await badge("DELIVERED").waitFor();
});

test("the theme follows the system until the user chooses one, and again on request", async () => {
  const themed = (theme: string) => page.locator(`html[data-theme=${theme}]`).waitFor();
  await page.emulateMedia({ colorScheme: "light" });
  await go("/");
  await themed("light");
  await page.emulateMedia({ colorScheme: "dark" });
  await themed("dark");
  const toggle = page.getByRole("button", { name: /^Theme:/ });
  await toggle.click();
  await themed("light");
  await page.reload();
  await themed("light");
  await toggle.click();
  await themed("dark");
  await toggle.click();
  await page.emulateMedia({ colorScheme: "light" });
  await themed("light");
  expect(await toggle.getAttribute("aria-label")).toContain("same as the system");
});

test("without a server the form reports the error, and a repeated submit creates one job", async () => {
  await go("/jobs/new");
  await page.locator("[data-connection=live]").waitFor();
  const anchor = "asked for twice";
  await page.getByLabel("Anchor text").fill(anchor);
  // The request arrives, but its response is lost.
  await page.route("**/trpc/job.create**", async (route) => {
    await route.fetch();
    await route.abort();
  });
  await page.getByRole("button", { name: "Create job" }).click();
  await page.getByRole("alert").getByText("The server cannot be reached.").waitFor();
  await page.unroute("**/trpc/job.create**");
  await page.getByRole("button", { name: "Create job" }).click();
  await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
  await go("/");
  await page
    .getByRole("link", { name: new RegExp(anchor) })
    .first()
    .waitFor();
  expect(await page.getByRole("link", { name: new RegExp(anchor) }).count()).toBe(1);

  await server.kill("SIGKILL");
  await page.locator("[data-connection=stale]").waitFor();
  // Includes pages that were not opened before.
  await page.getByRole("link", { name: "Console" }).click();
  const heading = page.getByRole("heading", { name: "Console" });
  await heading.waitFor();
  const banner = page.getByText("The connection to the server was lost");
  expect(await banner.isVisible()).toBe(true);
  expect(await left(banner.locator("svg"))).toBe(await left(heading));
  // The list loads by itself once the server is back.
  await page.getByRole("link", { name: "Batches" }).click();
  await page.getByRole("status", { name: "Loading" }).waitFor();
  await server.restart();
  await page.getByRole("status", { name: "Loading" }).waitFor({ state: "hidden" });
  await banner.waitFor({ state: "hidden" });
  expect(await page.getByRole("alert").count()).toBe(0);
});

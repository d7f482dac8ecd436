/** The page of a finished article: its sources, production details and checks, also on a phone. */
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningServer, startServer } from "#e2e/server.ts";
import { launchBrowser } from "./browser.ts";
import { articleAbout, createArticle, headingBadge } from "./samples.ts";

let server: RunningServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser();
  const context = await browser.newContext({
    permissions: ["clipboard-read", "clipboard-write"],
  });
  page = await context.newPage();
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** Creates an article about `target` and opens its page once it has the status. */
async function open(target: string, anchorText: string, status: string): Promise<void> {
  const input = articleAbout(server.url, { target, anchorText });
  await page.goto(`${server.url}/jobs/${await createArticle(page, server.url, input)}`);
  await headingBadge(page, status).waitFor();
  await report().waitFor();
}

const report = () => page.getByRole("region", { name: "Quality report" });
const checks = () => report().getByRole("listitem");

async function boxOf(part: Locator): Promise<{ x: number; y: number; right: number }> {
  const box = await part.boundingBox();
  if (box === null) throw new Error(`Nothing is shown at ${String(part)}.`);
  return { x: box.x, y: box.y, right: box.x + box.width };
}

test("on a phone each check shows its verdict beside its name, and nothing is off screen", async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open("target", "self-watering planters", "DELIVERED");
  expect(await page.evaluate(() => document.scrollingElement?.scrollWidth)).toBe(390);
  expect(await checks().count()).toBeGreaterThan(15);
  for (const check of await checks().all()) {
    const verdict = await boxOf(check.getByText(/^(Passed|Mended|Failed|Not needed)$/));
    const [name, found] = [check.locator("> *").nth(1), check.locator("> *").nth(2)];
    const nameBox = await boxOf(name);
    const foundBox = await boxOf(found);
    expect(verdict.y).toBe(nameBox.y);
    expect(verdict.right).toBeLessThanOrEqual(nameBox.x);
    expect(nameBox.right).toBeLessThanOrEqual(390);
    expect(foundBox.y).toBeGreaterThan(nameBox.y);
  }
});

test("on a wide screen the checks are in columns, and screen readers read each once with the names of its values", async () => {
  await page.setViewportSize({ width: 1280, height: 900 });
  await open("target", "self-watering planters", "DELIVERED");
  const length = checks().filter({ hasText: "Length" });
  const rows = await Promise.all((await length.locator("> *").all()).map(boxOf));
  expect(rows.map(({ y }) => y)).toEqual(Array.from({ length: 4 }, () => rows[0]?.y));
  expect(rows.map(({ x }) => x)).toEqual(rows.map(({ x }) => x).toSorted((a, b) => a - b));
  expect(await length.ariaSnapshot()).toMatch(
    /^- listitem: "?Passed Length Found: \d+ words Allowed: \d+ to \d+"?$/,
  );
});

test("the message, the timeline and the report of a blocked article show the same counts", async () => {
  await open("thin", "our shop", "BLOCKED");
  const failed = checks().filter({ hasText: /^Failed/ });
  const measured = checks().filter({ hasNotText: /^Not needed/ });
  const tally = `${await failed.count()} of ${await measured.count()} checks failed`;
  const names = await failed.locator("> :nth-child(2)").allTextContents();
  const message = page.getByRole("region", { name: "Progress", exact: true }).getByRole("status");
  expect((await message.textContent())?.toLowerCase()).toBe(
    `blocked: ${tally} (${names.join(", ").toLowerCase()})`,
  );
  expect(await report().getByText("checks failed").textContent()).toContain(`${tally}.`);
  const lines = page.getByRole("complementary", { name: "Timeline" });
  expect(await lines.getByText(tally).count()).toBe(2);
});

test("sources and production details are shown as labels, not as codes", async () => {
  await open("target", "self-watering planters", "DELIVERED");
  const target = page.getByRole("region", { name: "Sources" }).getByRole("region", {
    name: "Target",
  });
  expect(await target.textContent()).toMatch(/\d+ words, English, (formal|neutral|casual) tone/);
  const made = page.getByRole("region", { name: "How it was made" });
  await made.getByText("Offline", { exact: true }).waitFor();
  await made.getByText("In stages: plan, sections, polish").waitFor();
});

test("an article's headings are below the page's title, and are copied at their original level", async () => {
  await open("target", "self-watering planters", "DELIVERED");
  expect(await page.locator("h1").count()).toBe(1);
  const title = page.locator("article h2");
  expect(await title.count()).toBe(1);
  await page.getByRole("button", { name: "Copy HTML" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toContain(`<h1>${await title.innerHTML()}</h1>`);
  expect(copied.match(/<h2\b/g)).toHaveLength(await page.locator("article h3").count());
});

/** State that a page has shown is not reverted by leaving and returning, even while the server is down. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type RunningServer, startServer } from "#e2e/server.ts";
import { launchBrowser } from "./browser.ts";
import { articleAbout, createArticles, headingBadge } from "./samples.ts";

let server: RunningServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  server = await startServer({ env: { OFFLINE_PACE_MS: "40", CONCURRENCY: "1" } });
  browser = await launchBrowser();
  page = await (await browser.newContext()).newPage();
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

async function percentOf(name: string): Promise<number> {
  const bar = page.getByRole("progressbar", { name }).first();
  return Number(await bar.getAttribute("aria-valuenow"));
}

test("[S5] progress never decreases while the user navigates and the server is down", async () => {
  const inputs = Array.from({ length: 5 }, () => articleAbout(server.url));
  const batchId = await createArticles(page, server.url, "going and coming", inputs);

  await page.goto(`${server.url}/`);
  await page.getByRole("progressbar").first().waitFor();
  await page.getByRole("link", { name: "Batches" }).click();
  await page.getByRole("link", { name: /going and coming/ }).click();
  await page.waitForURL(`**/batches/${batchId}`);
  // Any running job.
  await page.locator("[data-status=PROCESSING]").first().click();
  await page.waitForURL(/\/jobs\//);
  await vi.waitFor(async () => expect(await percentOf("Progress of the job")).toBeGreaterThan(30), {
    timeout: 120_000,
    interval: 20,
  });
  await page.goBack();
  await vi.waitFor(
    async () => expect(await percentOf("Progress of the batch")).toBeGreaterThan(10),
    { timeout: 120_000 },
  );

  await server.kill("SIGKILL");
  await page.locator("[data-connection=stale]").waitFor();
  const ofBatch = await percentOf("Progress of the batch");
  const running = await page.locator("[data-status]").allTextContents();
  await page.goForward();
  await page.getByRole("complementary").getByText("Job started").waitFor();
  expect(await percentOf("Progress of the job")).toBeGreaterThan(30);
  await page.goBack();
  await page.getByRole("progressbar", { name: "Progress of the batch" }).waitFor();
  expect(await percentOf("Progress of the batch")).toBe(ofBatch);
  expect(await page.locator("[data-status]").allTextContents()).toEqual(running);

  await server.restart();
  await page.locator("[data-connection=live]").waitFor();
  await headingBadge(page, "completed").waitFor({ timeout: 120_000 });
  expect(await percentOf("Progress of the batch")).toBe(100);
});

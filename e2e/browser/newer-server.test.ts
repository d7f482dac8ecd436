/** A page that stayed open while the server became newer: it meets types, statuses and fields that it does not know. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { faultsOf, openTestPage, type TestPage } from "#test/browser/page.fixture.ts";
import { launchBrowser } from "./browser.ts";
import { type KindsServer, startKinds } from "./kinds.fixture.ts";
import { createJob } from "./samples.ts";

let server: KindsServer;
let browser: Browser;
let opened: TestPage;
let page: Page;

beforeAll(async () => {
  server = await startKinds();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.close();
});
beforeEach(async () => {
  opened = await openTestPage(browser);
  page = opened.page;
  await speakNewer(page);
});
afterEach(() => opened.close());

/** As a newer server would say it. */
function newer(text: string): string {
  return text
    .replaceAll('"status":"DELIVERED"', '"status":"ARCHIVED","region":"eu"')
    .replaceAll('"type":"delivered"', '"type":"archived"')
    .replaceAll('"type":"progress"', '"type":"measured"')
    .replaceAll('"status":"completed"', '"status":"sealed","region":"eu"')
    .replaceAll('"via":"anonymous"', '"via":"robot"');
}

async function speakNewer(page: Page): Promise<void> {
  await page.route(/\/trpc\//, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: newer(await response.text()) });
  });
  await page.routeWebSocket(/\/trpc/, (socket) => {
    const to = socket.connectToServer();
    socket.onMessage((message) => to.send(message));
    to.onMessage((message) => socket.send(typeof message === "string" ? newer(message) : message));
  });
}

const isLive = () => page.locator("[data-connection=live]").waitFor();

test("[C2] a job that ends in an unknown status is shown with it, with its log and its output", async () => {
  const input = { url: "https://example.com/a.png", widths: [320] };
  const id = await createJob(page, server.url, "thumbnails", input);
  await page.goto(`${server.url}/jobs/${id}`);
  await isLive();
  await page.locator("h1").locator("xpath=..").getByText("ARCHIVED").waitFor();
  await page.getByRole("region", { name: "Output" }).waitFor();
  const timeline = page.getByRole("list", { name: /^Timeline/ });
  await timeline.getByText("archived").waitFor();
  await timeline.getByText("measured").waitFor();
  await timeline.getByText("Created by").waitFor();
  expect(await faultsOf(page)).toEqual([]);
});

test("[C2] lists show jobs and batches of unknown statuses", async () => {
  const jobs = [{ kind: "anything", input: "a" }];
  const data = { json: { name: "a batch", jobs } };
  const made = await page.request.post(`${server.url}/trpc/batch.create`, { data });
  const { result } = (await made.json()) as { result: { data: { json: { id: string } } } };
  for (const path of ["/", "/batches", `/batches/${result.data.json.id}`, "/console"]) {
    await page.goto(server.url + path);
    await isLive();
    if (path !== "/console") {
      await page
        .getByText(path === "/" ? "ARCHIVED" : "sealed")
        .first()
        .waitFor();
    }
    expect(await faultsOf(page), `on ${path}`).toEqual([]);
  }
});

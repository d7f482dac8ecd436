/** Details of kinds that the page does not know. */
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningServer, startServer } from "#e2e/server.ts";
import { launchBrowser } from "./browser.ts";
import { createJob, headingBadge } from "./samples.ts";

const MAIN = fileURLToPath(new URL("lookalike-app.ts", import.meta.url));

let server: RunningServer;
let browser: Browser;
/** One for all tests: a new one takes more of the processor than what is loaded into it. */
let page: Page;

beforeAll(async () => {
  server = await startServer({ main: MAIN });
  browser = await launchBrowser();
  page = await (await browser.newContext()).newPage();
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});

const details = () => page.getByRole("region", { name: "Details" });

async function open(reported: object | string | null): Promise<void> {
  await page.goto(
    `${server.url}/jobs/${await createJob(page, server.url, "detailed", reported as object)}`,
  );
  await details().waitFor();
}

async function rows(): Promise<[string, string][]> {
  const [names, values] = await Promise.all([
    details().locator("dt").allTextContents(),
    details().locator("dd").allTextContents(),
  ]);
  return names.map((name, index) => [name, values[index] ?? ""]);
}

test("while a kind that has written no draft runs, the page promises none", async () => {
  await open({ done: 1 });
  await headingBadge(page, "PROCESSING").waitFor();
  expect(await page.getByRole("region", { name: "Draft" }).count()).toBe(0);
});

test("[Q8] a job that waits says why, until it starts", async () => {
  const [running, waiting] = [
    await createJob(page, server.url, "detailed", "alone" as unknown as object),
    await createJob(page, server.url, "detailed", "alone" as unknown as object),
  ];
  await page.goto(`${server.url}/jobs/${waiting}`);
  await page.getByText("It waits for another job of lane alone.").waitFor();
  const other = await page.context().newPage();
  await other.goto(`${server.url}/jobs/${running}`);
  await other.getByRole("button", { name: "Cancel" }).click();
  await other.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await headingBadge(page, "PROCESSING").waitFor();
  expect(await page.getByTestId("waiting").count()).toBe(0);
});

test("an object is shown as names and values, and stays when the job has ended", async () => {
  const long = "a".repeat(80);
  await open({
    done: 12,
    of: 40,
    current: "images/header.png",
    sizes: [320, 640],
    files: [long, "b"],
    ok: null,
  });
  expect(await rows()).toEqual([
    ["done", "12"],
    ["of", "40"],
    ["current", "images/header.png"],
    ["sizes", "[320,640]"],
    ["files", `[\n  "${long}",\n  "b"\n]`],
    ["ok", "null"],
  ]);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await headingBadge(page, "ABORTED").waitFor();
  expect(await details().count()).toBe(1);
});

test.each([
  ["a text", "Sheet 3 of 5", "Sheet 3 of 5"],
  ["a list", [1, "a"], '[1,"a"]'],
  ["null", null, "null"],
])("%s is shown as it is", async (_what, reported, text) => {
  await open(reported);
  expect(await details().getByRole("group").textContent()).toBe(text);
});

test("[H7] hostile details are text, keep their place, and leave the page as it is", async () => {
  const wide = "w".repeat(2000);
  await open({
    "<img src=x onerror=document.title='taken'>": "<script>document.title='taken'</script>",
    "\u202eevil": "\u202egnp.exe",
    [wide]: wide,
    constructor: { toString: 1 },
    toString: "x",
    html: '<a href="javascript:alert(1)">link</a>',
    ...Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`row ${n}`, n])),
  });
  expect((await rows()).length).toBe(206);
  expect(await details().locator("a, img, script").count()).toBe(0);
  expect(await page.title()).not.toBe("taken");
  const size = await page.evaluate(() => ({
    page: document.documentElement.scrollWidth,
    window: window.innerWidth,
  }));
  expect(size.page).toBeLessThanOrEqual(size.window);
  // It scrolls in a box, so that the rest of the page stays in reach.
  const box = await details().boundingBox();
  expect(box?.height).toBeLessThan(500);
});

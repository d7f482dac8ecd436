/** The page in use: a real browser against the real program. */
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type Pages, startPages } from "#e2e/pages.ts";
import { type RunningServer, startServer } from "#e2e/server.ts";
import { DESKTOP, faultsInAllLooks, PHONE } from "#test/browser/page.fixture.ts";
import { launchBrowser } from "./browser.ts";
import { articleAbout, createArticle, createArticles, headingBadge } from "./samples.ts";

let pages: Pages;
let server: RunningServer;
let browser: Browser;
let page: Page;
/** Uncaught errors of the page. */
let pageErrors: string[];

beforeAll(async () => {
  pages = await startPages();
  // One job at a time, slow enough to be observed, with the server's own samples or pages that can be held.
  server = await startServer({
    env: {
      ...pages.env,
      OFFLINE_PACE_MS: "40",
      CONCURRENCY: "1",
      FETCH_ALLOW: "127.0.0.1,localhost",
    },
  });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await pages.close();
});

beforeEach(async () => {
  pageErrors = [];
  page = await (await browser.newContext()).newPage();
  page.on("pageerror", (error) => pageErrors.push(error.message));
});

afterEach(async () => {
  await page.context().close();
  if (pageErrors.length > 0) throw new Error(`The page threw errors: ${pageErrors.join("; ")}`);
});

const go = (path: string) => page.goto(server.url + path);
const TITLE = "h1";
const badge = (status: string) => headingBadge(page, status);

const wire = (name: string) => page.getByRole("list", { name: `Frames of ${name}` });

async function createJob(): Promise<string> {
  await go("/jobs/new");
  await page.getByRole("button", { name: "Create job" }).click();
  await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
  return page.url();
}

/** Opens the page of a job that runs until `pages.release()`. Resolves to the job's id. */
async function openHeldJob(): Promise<string> {
  pages.hold();
  const id = await createArticle(page, server.url, pages.article);
  await go(`/jobs/${id}`);
  await badge("PROCESSING").waitFor();
  return id;
}

interface Shown {
  /** Lengths of the draft, in characters. */
  lengths: number[];
  percents: number[];
}

/** Records inside the page, because its state changes faster than a test can poll. */
async function recordWhatIsShown(): Promise<void> {
  await page.addInitScript(() => {
    const shown: Shown = { lengths: [], percents: [] };
    Object.assign(globalThis, { shown });
    new MutationObserver(() => {
      if (!document.querySelector(":has(> h1) [data-status=PROCESSING]")) return;
      const draft = document.querySelector("[data-testid=draft]")?.textContent;
      if (draft !== undefined) shown.lengths.push(draft.length);
      const bar = document.querySelector("[role=progressbar]");
      shown.percents.push(Number(bar?.getAttribute("aria-valuenow")));
    }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  });
}

async function whatWasShown(): Promise<Shown> {
  return page.evaluate(() => (globalThis as unknown as { shown: Shown }).shown);
}

test("a job can be created, its draft and progress watched, and its article read", async () => {
  await recordWhatIsShown();
  await go("/");
  await page.getByRole("link", { name: "New job" }).click();
  await page.getByRole("button", { name: "Create job" }).click();

  await badge("DELIVERED").waitFor();
  const { lengths, percents } = await whatWasShown();
  expect(new Set(lengths).size).toBeGreaterThan(5);
  expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
  expect(new Set(percents).size).toBeGreaterThan(4);
  expect(percents).toEqual(percents.toSorted((a, b) => a - b));

  const bar = page.getByRole("progressbar", { name: "Progress of the job" });
  expect(await bar.getAttribute("aria-valuenow")).toBe("100");
  const article = page.locator("article");
  await article.waitFor();
  expect(await article.locator("h3").count()).toBeGreaterThanOrEqual(3);
  expect(await article.locator('a[href*="/samples/target/"]').textContent()).toBe(
    "self-watering planters",
  );
  expect(await page.getByRole("region", { name: "Quality report" }).last().isVisible()).toBe(true);
  await page
    .getByRole("complementary")
    .getByText("Content generated - Running quality checks")
    .waitFor();
  expect(await page.title()).toContain("Delivered");
});

test("a job can be cancelled and retried", async () => {
  await openHeldJob();
  await page.getByRole("button", { name: "Cancel" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/Note/).fill("the wrong page");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await badge("ABORTED").waitFor();
  await page.getByRole("note").getByText("the wrong page").waitFor();
  pages.release();

  await page.getByRole("button", { name: "Retry" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Retry" }).click();
  await badge("DELIVERED").waitFor();
  expect(await page.getByText("attempt 2").first().isVisible()).toBe(true);
});

test("a bad row of a CSV file is shown with its error, can be corrected, and the batch watched", async () => {
  await go("/batches/new");
  const { host } = new URL(server.url);
  const good = `${host}/samples/publisher/,${server.url}/samples/target/,self-watering planters`;
  const csv = `publisher,target,anchor\n${good}\nex ample,${server.url}/samples/target/,x\n${good}\n`;
  await page.locator('input[type="file"]').setInputFiles({
    name: "spring.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(csv),
  });
  await page.getByRole("alert").getByText("1 of 3 rows cannot be used").waitFor();
  const rows = page.getByRole("list", { name: "Preview of the rows" }).getByRole("listitem");
  expect(await rows.count()).toBe(1);
  expect(await rows.textContent()).toMatch(/^Line 3.*publisher: Must be a domain/);
  const create = page.getByRole("button", { name: "Create batch of 3" });
  expect(await create.isDisabled()).toBe(true);

  await page.getByLabel("CSV", { exact: true }).fill(csv.replace("ex ample", "nosuch.invalid"));
  await page.getByText("3 rows are ready").waitFor();
  await create.click();
  await page.getByRole("heading", { name: "spring" }).waitFor();
  await badge("completed").waitFor({ timeout: 120_000 });
  await page.getByText("Batch completed: 2 delivered, 0 blocked, 1 aborted").waitFor();
});

const chooseFile = (name: string, buffer: Buffer) =>
  page.locator('input[type="file"]').setInputFiles({ name, mimeType: "text/csv", buffer });

const excelFile = (anchor: string) =>
  `sep=;\r\npublication_domain;link_target_page;anchor;note\r\nexample.com;${server.url}/samples/target/;${anchor}`;

test("a CSV file that Excel saves in Europe loads, and the page shows its encoding", async () => {
  await go("/batches/new");
  const text = page.getByLabel("CSV", { exact: true });

  await chooseFile("book.xlsx", Buffer.from([0x50, 0x4b, 3, 4, 0, 0]));
  await page.getByRole("alert").getByText("“book.xlsx” is not a text file").waitFor();
  expect(await text.inputValue()).toBe("");

  await chooseFile("vår.csv", Buffer.from(excelFile("Möbel;"), "latin1"));
  await page.getByRole("note").getByText("“vår.csv” was read as Windows-1252").waitFor();
  await page
    .getByRole("note")
    .getByText("“note”. See “Columns” for the recognised names")
    .waitFor();
  await page.getByText("1 row is ready").waitFor();
  expect(await page.getByLabel("Name (optional)").inputValue()).toBe("vår");
  const preview = page.getByRole("list", { name: "Preview of the rows" }).getByRole("listitem");
  expect(await preview.textContent()).toMatch(/^Line 3.*Möbel$/);

  // The same name again, corrected and saved as UTF-8: the browser fires no event unless the input was reset.
  await chooseFile("vår.csv", Buffer.from(excelFile('"Möbel;\r\n')));
  await page.getByText("“vår.csv” was read as UTF-8.").waitFor();
  await page.getByText('Begins a cell with a quote (") that is never closed').waitFor();
  expect(await page.getByRole("button", { name: "Create batch of 1" }).isDisabled()).toBe(true);
  expect(await page.locator('input[type="file"]').inputValue()).toBe("");

  // One invalid byte spoils only its own row.
  const row = `example.com;${server.url}/samples/target/;`;
  const damaged = [
    `${excelFile("Möbel für 5 €;")}\r\n${row}M`,
    Buffer.from([0xf6]),
    `bel;\r\n${row}Möbel;`,
  ];
  await chooseFile("vår.csv", Buffer.concat(damaged.map((part) => Buffer.from(part as string))));
  const note = page.getByRole("note").filter({ hasText: "was read as UTF-8, but not all of it" });
  await note.getByText("1 byte in it is not UTF-8.").waitFor();
  await preview.getByText(/^Line 4/).waitFor();
  expect(await preview.allTextContents()).toEqual([expect.stringMatching(/^Line 4.*M\uFFFDbel/)]);

  await page.getByRole("button", { name: "Fill in sample rows" }).click();
  await page.getByText("4 rows are ready").waitFor();
  expect(await page.getByText("was read as").count()).toBe(0);
});

test("a slowly read file does not replace one that was chosen later", async () => {
  await go("/batches/new");
  await page.evaluate(`{
    const read = Blob.prototype.arrayBuffer;
    const { promise, resolve } = Promise.withResolvers();
    window.release = resolve;
    Blob.prototype.arrayBuffer = function () {
      Blob.prototype.arrayBuffer = read;
      window.slow = promise.then(() => read.call(this));
      return window.slow;
    };
  }`);
  await chooseFile("slow.csv", Buffer.from(excelFile("slow")));
  await chooseFile("newer.csv", Buffer.from(excelFile("newer")));
  await page.getByText("“newer.csv” was read as UTF-8.").waitFor();
  // Two paints after the slow file was read, a change of the page would be visible.
  await page.evaluate(`(async () => {
    window.release();
    await window.slow;
    for (const _ of [1, 2]) await new Promise((painted) => requestAnimationFrame(painted));
  })()`);
  expect(await page.getByText("was read as").textContent()).toContain("newer.csv");
  expect(await page.getByLabel("CSV", { exact: true }).inputValue()).toContain(";newer");
  expect(await page.getByLabel("Name (optional)").inputValue()).toBe("newer");
});

test("[S5] the badge shows a lost connection, and missed events appear after the reconnect", async () => {
  await openHeldJob();
  const connection = (state: string) => page.locator(`[data-connection=${state}]`);
  await connection("live").waitFor();
  await server.kill("SIGKILL");
  await connection("stale").waitFor();
  pages.release();
  await server.restart();
  await connection("live").waitFor();
  await badge("DELIVERED").waitFor();
  await page.getByRole("complementary").getByText("Its runner stopped unexpectedly").waitFor();
  await page.getByText("attempt 2").first().waitFor();
  const times = await page.getByRole("complementary").locator("li").count();
  const started = await page.getByRole("complementary").getByText("Job started").count();
  expect(started).toBe(2);
  expect(times).toBeGreaterThan(10);
});

test("a job that is opened while the server is down appears once the server is back", async () => {
  await createJob();
  await badge("DELIVERED").waitFor();
  await go("/");
  const row = page.getByRole("list").getByRole("link").first();
  await row.waitFor();
  // The list may load before the connection opens.
  await page.locator("[data-connection=live]").waitFor();
  await server.kill("SIGKILL");
  await page.getByText("The connection to the server was lost").waitFor();
  await row.click();
  await page.getByRole("status", { name: "Loading" }).waitFor();
  await server.restart();
  await badge("DELIVERED").waitFor();
  await page.getByText("The connection to the server was lost").waitFor({ state: "hidden" });
  expect(await page.locator("article h3").count()).toBeGreaterThan(2);
});

test("a job can be created with the keyboard alone", async () => {
  await go("/");
  await page.getByRole("heading", { name: "Jobs" }).waitFor();
  await page.keyboard.press("Shift+Tab");
  await tabTo("New job", "Shift+Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "New article" }).waitFor();
  await tabTo("Anchor text", "Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
  expect(await page.locator(TITLE).textContent()).toContain("self-watering planters");
});

async function tabTo(name: string, key: string): Promise<void> {
  for (let presses = 0; presses < 20; presses++) {
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      const label = element instanceof HTMLInputElement ? element.labels?.[0] : element;
      return label?.textContent ?? "";
    });
    if (focused.includes(name)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`The keyboard does not reach "${name}".`);
}

test("an invalid field shows its error and takes the focus", async () => {
  await go("/jobs/new");
  await page.getByLabel("Target").fill("ftp://example.com");
  await page.getByRole("button", { name: "Create job" }).click();
  await page.getByText("Must be an http:// or https:// address").waitFor();
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("targetUrl");
});

test("[S11] the console shows a job on both protocols", async () => {
  const url = await createJob();
  await badge("DELIVERED").waitFor();
  await go(`/console?job=${url.split("/").at(-1)}`);
  await wire("Socket.IO").getByText("job:completed").waitFor();
  await wire("tRPC").getByText("delivered", { exact: false }).first().waitFor();
  expect(await wire("tRPC").getByText("1 created").isVisible()).toBe(true);
});

test("[L1] the README's console snippet works on the page", async () => {
  const id = await openHeldJob();
  const [, snippet = ""] =
    /```js\n(const \{ io \}[\s\S]*?)```/.exec(readFileSync("README.md", "utf8")) ?? [];
  const lines: string[] = [];
  page.on("console", (message) => lines.push(message.text()));
  await page.evaluate(
    `(async () => {${snippet
      .replace("ws://localhost:8000", server.url.replace("http", "ws"))
      .replace("your-job-id-here", id)}})()`,
  );
  pages.release();
  await badge("DELIVERED").waitFor();
  await vi.waitFor(() => expect(lines.some((line) => line.startsWith("Completed:"))).toBe(true));
  expect(lines.some((line) => line.startsWith("Update:"))).toBe(true);
  // With an unknown id, the snippet logs why it was not subscribed.
  const address = server.url.replace("http", "ws");
  await page.evaluate(`(async () => {${snippet.replace("ws://localhost:8000", address)}})()`);
  await vi.waitFor(() =>
    expect(lines.some((line) => line.startsWith("Not subscribed:"))).toBe(true),
  );
});

test("a missing page and a missing job are reported as such", async () => {
  await go("/nothing/here");
  await page.getByRole("heading", { name: "There is no such page" }).waitFor();
  await go("/jobs/01a20665-8cab-704e-9437-209e0533c3ad");
  await page.getByRole("heading", { name: "There is no such job" }).waitFor();
  expect(await page.title()).toContain("Not found");
});

test("no page is wider than a phone, and axe finds no serious violation in either theme", async () => {
  const delivered = await createArticle(page, server.url, articleAbout(server.url));
  const thin = articleAbout(server.url, { target: "thin", anchorText: "our shop" });
  const inputs = [articleAbout(server.url), thin];
  const batch = await createArticles(page, server.url, "all looks", inputs);
  await go(`/jobs/${delivered}`);
  await badge("DELIVERED").waitFor();
  await go(`/batches/${batch}`);
  await badge("completed").waitFor();
  const paths = ["/", "/jobs/new", `/jobs/${delivered}`, "/batches", `/batches/${batch}`];
  const more = ["/batches/new", "/console", `/console?job=${delivered}`, "/nothing/here"];
  for (const path of [...paths, ...more]) {
    await go(path);
    await page.locator("[data-connection=live]").waitFor();
    await page.locator(TITLE).waitFor();
    expect(await faultsInAllLooks(page, [DESKTOP, PHONE]), `on ${path}`).toEqual([]);
  }
  await go("/batches/new");
  await page.getByLabel("CSV", { exact: true }).fill("publisher,target,anchor\nex ample,x,\n");
  const problem = page.getByText("publisher: Must be a domain");
  await problem.waitFor();
  const box = await problem.boundingBox();
  expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(PHONE.width);
  expect(await page.evaluate(() => document.scrollingElement?.scrollWidth)).toBe(PHONE.width);
});

/** Jobs of kinds that the page has no parts for: it asks for them by their schemas, and shows what they make. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  faultsInAllLooks,
  faultsOf,
  openTestPage,
  PHONE,
  type TestPage,
} from "#test/browser/page.fixture.ts";
import { launchBrowser } from "./browser.ts";
import { type KindsServer, showKinds, startKinds } from "./kinds.fixture.ts";
import { createDebounced, createJob, headingBadge } from "./samples.ts";

const KINDS = ["thumbnails", "anything"];
const PICTURE = "https://example.com/a.png";

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
  opened = await openTestPage(browser, { permissions: ["clipboard-read", "clipboard-write"] });
  page = opened.page;
  await showKinds(page, KINDS);
});
afterEach(() => opened.close());

const go = (path: string) => page.goto(server.url + path);
const create = () => page.getByRole("button", { name: "Create job" }).click();
const asJson = () => page.getByRole("button", { name: "Edit as JSON" });
const region = (name: string) => page.getByRole("region", { name });

async function ended(status: string): Promise<void> {
  await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
  await headingBadge(page, status).waitFor();
}

/** Rows of the card as names and values. */
async function rowsOf(card: string): Promise<Record<string, string>> {
  const names = await region(card).locator("dt").allTextContents();
  const values = await region(card).locator("dd").allTextContents();
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""]));
}

test("a person chooses a kind, fills in its form, and watches the job to its end", async () => {
  await go("/");
  await page.getByRole("link", { name: "New job" }).click();
  await page.getByRole("heading", { name: "Choose a kind" }).waitFor();
  await page.getByRole("link", { name: /^thumbnails/ }).click();
  await page.getByRole("heading", { name: "New job: thumbnails" }).waitFor();
  await page.getByText("Makes small pictures of a large one.").waitFor();
  expect(await page.getByLabel("format (optional)").inputValue()).toBe('"webp"');

  await page.getByLabel("Picture").fill(PICTURE);
  await page.getByLabel("widths 1").fill("320");
  await page.getByRole("button", { name: "Add to widths" }).click();
  await page.getByLabel("widths 2").fill("640");
  await page.getByLabel("format (optional)").selectOption("avif");
  await page.getByLabel("crop").check();
  await create();
  await ended("DELIVERED");
  expect(await rowsOf("Details")).toEqual({ done: "2", of: "2" });
  expect(await rowsOf("Output")).toEqual({
    files: '["https://pictures.test/320.avif","https://pictures.test/640.avif"]',
    settings: '{"format":"avif","crop":true}',
    summary: "2 files",
  });
  expect(await rowsOf("Input")).toEqual({
    url: PICTURE,
    widths: "[320,640]",
    format: "avif",
    crop: "true",
  });
  const log = page.getByRole("region", { name: "Log" });
  const lines = (await log.getByRole("listitem").allTextContents()).map((text) =>
    text.replace(/^\d\d:\d\d:\d\d/, ""),
  );
  expect(lines).toEqual(["debugWidths: 320, 640", "warnA square has less of the picture"]);
  expect(await faultsOf(page)).toEqual([]);
});

test("the server's errors stand at their fields, and the first one has the focus", async () => {
  await go("/jobs/new/thumbnails");
  await page.getByLabel("widths 1").fill("many");
  await create();
  await page.getByText("“many” is not a whole number").waitFor();
  await page.getByText("Is missing").waitFor();
  expect(await page.evaluate(() => document.activeElement?.getAttribute("type"))).toBe("url");
  expect(await page.getByRole("alert").count()).toBe(0);

  await page.getByLabel("Picture").fill("no address");
  await page.getByLabel("widths 1").fill("320");
  await page.getByRole("button", { name: "Add to widths" }).click();
  await page.keyboard.type("8");
  await create();
  await page.getByText("Invalid URL").waitFor();
  await page.getByText(/^Too small.*16/).waitFor();
  expect(await page.getByLabel("widths 2").getAttribute("aria-invalid")).toBe("true");
  expect(await page.getByLabel("widths 1").getAttribute("aria-invalid")).toBe("false");
  expect(await page.getByRole("alert").count()).toBe(0);
  expect(await faultsOf(page)).toEqual([]);
});

test("the input can be edited as JSON, and the form takes it over", async () => {
  await go("/jobs/new/thumbnails");
  await page.getByLabel("Picture").fill(PICTURE);
  await asJson().click();
  const json = page.getByLabel("Input", { exact: true });
  expect(JSON.parse(await json.inputValue())).toEqual({
    url: PICTURE,
    widths: [null],
    format: "webp",
    crop: false,
  });

  await json.fill("{");
  await create();
  await page.getByText(/^Is not JSON/).waitFor();
  await json.fill(JSON.stringify({ url: PICTURE, widths: [99], extra: 1 }));
  await asJson().click();
  await page.getByText("Has what the form cannot show").waitFor();
  await create();
  await page.getByRole("alert").getByText(/extra/).waitFor();

  await json.fill(JSON.stringify({ url: PICTURE, widths: [99], crop: true }));
  await asJson().click();
  expect(await page.getByLabel("widths 1").inputValue()).toBe("99");
  expect(await page.getByLabel("crop").isChecked()).toBe(true);
  await create();
  await ended("DELIVERED");
});

test("an input that has no form begins with a skeleton of its JSON", async () => {
  await go("/jobs/new/anything");
  const json = page.getByLabel("Input", { exact: true });
  expect(JSON.parse(await json.inputValue())).toEqual([]);
  expect(await asJson().count()).toBe(0);
  await json.fill('["a", { "b": [1, 2] }]');
  await create();
  await ended("DELIVERED");
  expect(await region("Output").getByRole("group").textContent()).toBe('["a",{"b":[1,2]}]');
  expect(await region("Input").getByRole("group").textContent()).toBe('["a",{"b":[1,2]}]');
});

test("a text as output is shown and copied as it is", async () => {
  const text = "# A title\n\nAnd a line";
  const id = await createJob(page, server.url, "anything", text as unknown as object);
  await go(`/jobs/${id}`);
  await headingBadge(page, "DELIVERED").waitFor();
  expect(await region("Output").getByRole("group").innerText()).toBe(text);
  await region("Output").getByRole("button", { name: "Copy" }).click();
  await region("Output").getByRole("button", { name: "Copied" }).waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(text);
});

test("a job that failed or waits for a decision says so, and leads to the form with its input", async () => {
  const input = { url: PICTURE, widths: [320], comment: "fail", quality: 80 };
  await go(`/jobs/${await createJob(page, server.url, "thumbnails", input)}`);
  await page.getByRole("alert").getByText("There is no picture at the address.").waitFor();
  await page.getByRole("link", { name: "New job with this input" }).click();
  await page.getByRole("heading", { name: "New job: thumbnails" }).waitFor();
  expect(await page.getByLabel("Picture").inputValue()).toBe(PICTURE);
  expect(await page.getByLabel("quality (optional)").inputValue()).toBe("80");
  await page.getByLabel("comment (optional)").fill("block");
  await create();
  await ended("BLOCKED");
  await page.getByText("This job needs your decision").waitFor();
});

test("[J21] [J25] on a phone a person says when a job starts, and sees it in local time", async () => {
  await page.setViewportSize(PHONE);
  await go("/jobs/new/anything");
  await page.getByLabel("Input").fill('"a"');
  const start = page.getByLabel("Start");
  expect(await start.isVisible()).toBe(false);
  await page.getByText("Options", { exact: true }).click();
  await start.fill("2099-01-01T09:30");
  await page.getByLabel("Priority").selectOption("7");
  await page.getByLabel("Expires after minutes").fill("90");
  await page.getByLabel("Attempts at most").fill("3");
  await create();
  await page.getByText("Must be within a year").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  const year = new Date(Date.now() + 30 * 86_400_000).getFullYear();
  const day = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(5, 10);
  await start.fill(`${year}-${day}T09:30`);
  await create();
  await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
  await page.getByText(new RegExp(`starts .*${year}, 09:30`)).waitFor();
  await page.getByText(new RegExp(`expires .*${year}, 11:00`)).waitFor();
  await page.getByText("priority 7").waitFor();
  await page.getByText("at most 3 attempts").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await headingBadge(page, "ABORTED").waitFor();
  await page.getByText(/starts .*09:30/).waitFor({ state: "detached" });
});

test("[J23] a page that is open shows the input and the start of further calls", async () => {
  const call = (input: string[], minutes: number) => {
    const debounce = { key: "k", windowMs: minutes * 60_000 };
    return createDebounced(page, server.url, { kind: "anything", input, debounce });
  };
  const id = await call(["first"], 60);
  await go(`/jobs/${id}`);
  await region("Input").getByText("first").waitFor();
  const starts = page.getByText(/^starts /);
  const before = await starts.innerText();
  await page.locator("[data-connection=live]").waitFor();
  expect(await call(["second"], 120)).toBe(id);
  await region("Input").getByText("second").waitFor();
  expect(await starts.innerText()).not.toBe(before);
  await page.getByRole("status").getByText("Input replaced").waitFor();
});

test("a batch takes the inputs as a JSON array", async () => {
  await go("/batches/new");
  await page.getByRole("link", { name: /^anything/ }).click();
  await page.getByLabel("Name (optional)").fill("three texts");
  const inputs = page.getByLabel("Inputs");
  const button = page.getByRole("button", { name: /^Create batch/ });
  await inputs.fill('{ "no": "array" }');
  await page.getByText("Is no array").waitFor();
  expect(await button.isDisabled()).toBe(true);
  await inputs.fill('["a", 7, "b"]');
  await page.getByText("Create batch of 3").click();
  await page
    .getByRole("alert")
    .getByText(/^Row 2: /m)
    .waitFor();
  await inputs.fill('["a", "b", "c"]');
  await button.click();
  await page.getByRole("heading", { name: "three texts" }).waitFor();
  await page.getByText("Batch completed: 3 delivered, 0 blocked, 0 aborted").waitFor();
});

test("with a single kind the form opens at once, and a kind that is gone leads nowhere", async () => {
  await showKinds(page, ["thumbnails"]);
  await go("/jobs/new");
  await page.getByRole("heading", { name: "New job: thumbnails" }).waitFor();
  expect(await page.getByRole("link", { name: "Choose another kind" }).count()).toBe(0);
  await go("/jobs/new/anything");
  await page.getByRole("heading", { name: "There is no such kind of job" }).waitFor();

  const id = await createJob(page, server.url, "anything", ["a"]);
  await go(`/jobs/${id}`);
  await headingBadge(page, "DELIVERED").waitFor();
  await region("Output").waitFor();
  await page.locator("[data-connection=live]").waitFor();
  expect(await page.getByRole("link", { name: "New job with this input" }).count()).toBe(0);
});

test("a server without kinds says that nothing can be created", async () => {
  await showKinds(page, []);
  for (const path of ["/jobs/new", "/batches/new"]) {
    await go(path);
    await page.getByText("This server has no kind of job").waitFor();
    expect(await page.locator("form").count()).toBe(0);
  }
});

test("no page of a server without articles mentions them, and none has faults in either theme", async () => {
  const scripts: string[] = [];
  page.on("request", (request) => scripts.push(request.url()));
  const input = { url: PICTURE, widths: [320] };
  const done = await createJob(page, server.url, "thumbnails", input);
  const json = await createJob(page, server.url, "anything", [{ a: "long ".repeat(100) }]);
  const paths = ["/", "/batches", "/console", "/jobs/new", "/jobs/new/thumbnails"];
  const more = ["/jobs/new/anything", "/batches/new", "/batches/new/thumbnails"];
  for (const path of [...paths, ...more, `/jobs/${done}`, `/jobs/${json}`]) {
    await go(path);
    await page.locator("[data-connection=live]").waitFor();
    await page.getByRole("status", { name: "Loading" }).waitFor({ state: "hidden" });
    await page.locator("h1").waitFor();
    expect(await faultsInAllLooks(page), `on ${path}`).toEqual([]);
    expect(await page.locator("body").innerText(), `on ${path}`).not.toMatch(/article|sample|csv/i);
  }
  // Its code is not even loaded.
  expect(scripts.filter((url) => /new-(?:job|batch)-page|article|view-/.test(url))).toEqual([]);
});

test("a kind that has only the name of the article kind has the form of its own schema", async () => {
  const input = { type: "object", properties: { words: { type: "integer" } } };
  const other = { name: "article", description: "Another one.", input, output: {} };
  await showKinds(page, [], [other]);
  await go("/jobs/new");
  await page.getByRole("heading", { name: "New job: article" }).waitFor();
  await page.getByLabel("words (optional)").waitFor();
  await go("/batches/new");
  await page.getByLabel("Inputs").waitFor();
  expect(await page.getByText(/csv/i).count()).toBe(0);
});

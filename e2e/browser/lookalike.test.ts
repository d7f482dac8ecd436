/** Outputs that look like articles, as other kinds and foreign programs can store them. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type RunningServer, startServer } from "#e2e/server.ts";
import type { ArticleOutput } from "#shared/article/article.ts";
import { launchBrowser } from "./browser.ts";
import { createJob, headingBadge } from "./samples.ts";

const MAIN = fileURLToPath(new URL("lookalike-app.ts", import.meta.url));

let server: RunningServer;
let browser: Browser;
let page: Page;
/** Another site that records its requests. */
let other: Server;
let otherUrl: string;
let asked: string[];

beforeAll(async () => {
  other = createServer((req, res) => {
    asked.push(req.url ?? "");
    res.end("another site");
  }).listen(0, "127.0.0.1");
  await once(other, "listening");
  otherUrl = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  server = await startServer({ main: MAIN });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  other.closeAllConnections();
  other.close();
});

beforeEach(async () => {
  asked = [];
  const permissions = ["clipboard-read", "clipboard-write"];
  page = await (await browser.newContext({ permissions })).newPage();
});

afterEach(async () => {
  await page.context().close();
});

/** HTML that leads to other sites by itself or when it is used. */
const hostile = () => `<meta http-equiv="refresh" content="0;url=${otherUrl}/refresh">
  <h1>A garden</h1><p onclick="location='${otherUrl}/click'">Soil and <em>water</em></p>
  <img src="${otherUrl}/image"><iframe src="${otherUrl}/frame"></iframe><base href="${otherUrl}/">
  <style>body { display: none }</style><form action="${otherUrl}/form"><button>Sign in</button></form>
  <svg><a xlink:href="javascript:alert(1)"><text>svg</text></a></svg>
  <p><a href="javascript:alert(1)">script</a> <a href="data:text/html,x">data</a>
  <a href="https://example.com/soil" rel="noopener" target="_top" style="position: fixed">web</a></p>`;

function lookalike(changes: Partial<ArticleOutput> = {}): ArticleOutput {
  const profile = {
    url: "https://example.com/",
    finalUrl: "https://example.com/",
    title: "Example",
    description: "",
    headings: [],
    excerpt: "",
    words: 1,
    language: "en",
    keyTerms: [],
    tone: "neutral" as const,
  };
  return {
    title: "A garden",
    language: "en",
    markdown: "# A garden",
    html: hostile(),
    words: 3,
    writer: { provider: "offline", model: null, strategy: "single_shot" },
    report: { passed: true, rules: [] },
    publisher: profile,
    target: profile,
    timings: { profile: 0, write: 0, check: 0 },
    cost: { inputTokens: 0, outputTokens: 0 },
    ...changes,
  };
}

async function open(kind: string, output: ArticleOutput): Promise<string> {
  const address = `${server.url}/jobs/${await createJob(page, server.url, kind, output)}`;
  await page.goto(address);
  await headingBadge(page, "DELIVERED").waitFor();
  return address;
}

const output = () => page.getByRole("region", { name: "Output" });

async function stays(address: string): Promise<void> {
  expect(await page.locator("meta[http-equiv=refresh i]").count()).toBe(0);
  expect(page.url()).toBe(address);
  expect(asked).toEqual([]);
}

test("another kind's output that looks like an article is shown as data, without working links", async () => {
  const given = lookalike();
  const address = await open("lookalike", given);
  await output().waitFor();
  expect(await output().locator("dt").allTextContents()).toEqual(Object.keys(given));
  expect(await output().locator("dd").nth(3).textContent()).toBe(given.html);
  expect(await output().locator("a, img, iframe, form, style, svg a").count()).toBe(0);
  expect(await page.locator("article").count()).toBe(0);
  await output().getByRole("button", { name: "Copy JSON" }).click();
  await output().getByRole("button", { name: "Copied" }).waitFor();
  expect(JSON.parse(await page.evaluate(() => navigator.clipboard.readText()))).toEqual(given);
  await stays(address);
});

test("an article is rendered without elements that an article must not have", async () => {
  const address = await open("article", lookalike());
  const article = page.locator("article");
  await article.getByRole("heading", { name: "A garden", level: 2 }).waitFor();
  expect(await output().count()).toBe(0);
  const names = await article.locator("*").evaluateAll((all) => all.map((each) => each.localName));
  expect([...new Set(names)].toSorted()).toEqual(["a", "em", "h2", "p"]);
  const attributes = await article
    .locator("*")
    .evaluateAll((all) =>
      all.flatMap((each) => Array.from(each.attributes, ({ name, value }) => `${name}=${value}`)),
    );
  expect(attributes.toSorted()).toEqual(["href=https://example.com/soil", "rel=noopener"]);
  await article.getByText("Soil and water").click();
  await stays(address);

  await page.getByRole("button", { name: "Copy HTML" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toContain("<h1>A garden</h1>");
  expect(copied).not.toMatch(/meta|img|iframe|onclick|javascript:|data:|127\.0\.0\.1/);
});

test("an article whose source has a non-web address is shown as data", async () => {
  const given = lookalike();
  const target = { ...given.target, finalUrl: "vscode://example.extension/run" };
  const address = await open("article", { ...given, target });
  await output().getByText("vscode://example.extension/run").waitFor();
  expect(await page.locator("article, a[href^=vscode]").count()).toBe(0);
  await stays(address);
});

test("an article with an unknown language code shows that code", async () => {
  const { publisher } = lookalike();
  const odd = { ...publisher, language: "xx-!!", keyTerms: ["a", "a"], words: -1 };
  const timings = { profile: 1e300, write: -1, check: 0 };
  await open("article", lookalike({ language: "xx-!!", publisher: odd, timings }));
  await page.getByText("-1 words, xx-!!, neutral tone").waitFor();
  expect(await page.locator("article h2").textContent()).toBe("A garden");
});

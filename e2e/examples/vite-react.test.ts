import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { launchBrowser } from "#e2e/browser/browser.ts";
import { type Example, startExample } from "./example.ts";
import { describeExample } from "./example.suite.ts";

const VITE = "node_modules/vite/bin/vite.js";
const ROWS = 60;
const csv = ["item,price", ...Array.from({ length: ROWS }, () => "Tea,3")].join("\n");

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

/** Opens the page. `errors`: of its scripts, and what React complains about. */
async function openPage({ url }: Example): Promise<{ page: Page; errors: string[] }> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(url);
  return { page, errors };
}

async function submit(page: Page, table = csv): Promise<void> {
  await page.getByLabel("Table").fill(table);
  await page.getByRole("button", { name: "Add up" }).click();
}

const status = (page: Page) => page.getByRole("status").textContent();

describe("built", () => {
  const example = describeExample({
    basePath: "/jobwire",
    start: (env) => startExample("vite-react", { build: [VITE, "build"], env }),
    kind: "columnSums",
    input: () => ({ csv }),
    clientEnds: /name: 'price', numbers: 2, sum: 7.5, mean: 3.75/,
  });

  test("the page follows a job to its output", async () => {
    const { page, errors } = await openPage(example());
    await submit(page);
    await page.getByText("price: 180 in all, 3 on average").waitFor();
    expect(await status(page)).toBe(`Delivered (${ROWS} of ${ROWS})`);
    expect(errors).toEqual([]);
  });

  test("the page shows what a kind says of a failure, and what its schema refuses", async () => {
    const { page } = await openPage(example());
    await submit(page, "only,names");
    await page.getByText("The table has no rows. Add some.").waitFor();
    await submit(page, "");
    const refused = page.getByRole("alert");
    await vi.waitFor(async () => expect(await refused.textContent()).toContain("Paste a table"));
  });
});

describe("in Vite's dev server", () => {
  let example: Example;

  beforeAll(async () => {
    example = await startExample("vite-react", {
      args: (port) => [VITE, "--port", String(port), "--strictPort"],
      env: { SHUTDOWN_GRACE_MS: "0" },
    });
  });

  afterAll(() => example.remove());

  test("a source is replaced in the page while the page follows a job, in strict mode", async () => {
    const { page, errors } = await openPage(example);
    await submit(page);
    await vi.waitFor(async () => expect(await status(page)).toMatch(/^Row \d+ \(\d+ of 60\)/));
    const file = join(example.dir, "src", "column-sums.tsx");
    const source = await readFile(file, "utf8");
    await writeFile(file, source.replace("<h1>Column sums</h1>", "<h1>Sums of columns</h1>"));
    await page.getByRole("heading", { name: "Sums of columns" }).waitFor();
    // A reload would have lost both.
    expect(await page.getByLabel("Table").inputValue()).toBe(csv);
    await page.getByText("price: 180 in all, 3 on average").waitFor();
    expect(errors).toEqual([]);
  });

  test("a job goes on when Vite starts anew", async () => {
    const { page } = await openPage(example);
    await submit(page);
    await vi.waitFor(async () => expect(await status(page)).toMatch(/^Row/));
    await appendFile(join(example.dir, "vite.config.ts"), "\n");
    await vi.waitFor(() => expect(example.output()).toContain("server restarted"));
    await vi.waitFor(() => expect(example.output()).toMatch(/"attempt":2,.*job delivered/));
    expect(example.output()).not.toContain("Jobwire:");
  });

  test("[J10] SIGTERM ends Vite while a page follows a job, which goes on after the next start", async () => {
    const { page } = await openPage(example);
    await submit(page);
    await vi.waitFor(async () => expect(await status(page)).toMatch(/^Row/));
    // As Vite says that a signal has ended it.
    expect(await example.stop()).toBe(128 + 15);
    await page.getByText("waiting for the server").waitFor();
    await example.start();
    await vi.waitFor(() =>
      expect(example.output().match(/"attempt":2,.*job delivered/g)).toHaveLength(2),
    );
  });
});

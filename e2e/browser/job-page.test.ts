/** The page of one job: its draft, its outcome and the next steps. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningServer, startServer } from "#e2e/server.ts";
import { testArticle } from "#test/article/brief.ts";
import { type ModelServer, openModelServer } from "#test/article/model-server.fixture.ts";
import { launchBrowser } from "./browser.ts";
import { articleAbout, createArticle, headingBadge } from "./samples.ts";

let model: ModelServer;
let server: RunningServer;
let browser: Browser;
/** One for all tests: a new one takes more of the processor than what is loaded into it. */
let page: Page;

beforeAll(async () => {
  // The model streams without end, so these jobs only end when a person ends them.
  model = await openModelServer(async (_, { write }) => {
    for (const piece of testArticle().match(/[^]{1,40}/g) ?? []) await write(piece);
  });
  server = await startServer({
    env: { LLM_BASE_URL: `${model.origin}/v1`, LLM_MODEL: "test", OFFLINE_PACE_MS: "0" },
  });
  browser = await launchBrowser();
  page = await (await browser.newContext()).newPage();
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await model[Symbol.asyncDispose]();
});

const badge = (status: string) => headingBadge(page, status);

/** Opens a job of the offline writer, which runs to its end. */
function openJob(changes: Record<string, string>): Promise<void> {
  return open({ ...articleAbout(server.url), llmProvider: "offline", ...changes });
}

/** Opens a job whose model streams without end. */
function openEndlessJob(): Promise<void> {
  return open({ ...articleAbout(server.url), writingStrategy: "single_shot" });
}

async function open(input: object): Promise<void> {
  await page.goto(`${server.url}/jobs/${await createArticle(page, server.url, input)}`);
}

async function decide(action: string, note: string): Promise<void> {
  await page.getByRole("button", { name: action }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/Note/).fill(note);
  await dialog.getByRole("button", { name: action }).click();
}

test("a draft renders headings and links, follows its end while it grows, and is shown whole afterwards", async () => {
  await openEndlessJob();
  const draft = page.getByTestId("draft");
  const link = draft.getByText("clever planters", { exact: true });
  await link.first().waitFor();
  expect(await draft.locator("strong").count()).toBeGreaterThan(1);
  expect(await draft.textContent()).not.toMatch(/^#+ |\]\(http/m);
  expect(await page.getByTestId("caret").count()).toBe(1);
  const below = () =>
    draft.evaluate((box) => Math.round(box.scrollHeight - box.scrollTop - box.clientHeight));
  expect(await below()).toBeLessThan(48);

  await decide("Cancel", "");
  await badge("ABORTED").waitFor();
  await page.getByTestId("caret").waitFor({ state: "detached" });
  expect(await below()).toBe(0);
  expect(await draft.evaluate(({ scrollTop }) => scrollTop)).toBe(0);
});

test("a cancelled job shows that and its note, and is never called failed", async () => {
  await openEndlessJob();
  await badge("PROCESSING").waitFor();
  await page.evaluate(() => {
    const seen = globalThis as unknown as { alarms: string[] };
    seen.alarms = [];
    new MutationObserver(() => {
      for (const alert of document.querySelectorAll("[role=alert]")) {
        seen.alarms.push(alert.textContent);
      }
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
  });
  await decide("Cancel", "the wrong page");
  const note = page.getByRole("note");
  await note.getByText("This job was cancelled").waitFor();
  expect(await note.getByText("the wrong page", { exact: true }).count()).toBe(1);
  expect(await page.getByRole("status").getByText("Cancelled", { exact: true }).count()).toBe(1);
  expect(await page.evaluate(() => (globalThis as unknown as { alarms: string[] }).alarms)).toEqual(
    [],
  );
  await page.reload();
  await note.getByText("the wrong page", { exact: true }).waitFor();
  expect(await page.getByRole("alert").count()).toBe(0);
});

test("a blocked article shows how many checks failed, and a rejected one its note", async () => {
  await openJob({ targetUrl: `${server.url}/samples/thin/`, anchorText: "our shop" });
  await badge("BLOCKED").waitFor();
  await page.getByText("This article needs your decision").waitFor();
  const [count] = /\d+ of 16/.exec((await page.getByRole("status").allTextContents()).join()) ?? [];
  await page.getByText(`${count} checks failed.`).waitFor();
  await decide("Reject", "too thin");
  await page.getByRole("note").getByText("This article was rejected").waitFor();
  await page.getByRole("note").getByText("too thin", { exact: true }).waitFor();
  expect(await page.getByRole("alert").count()).toBe(0);
});

test("a failure shows its reason once, and links to the form with the same input where a retry is useless", async () => {
  const targetUrl = `${server.url}/samples/nowhere/`;
  await openJob({ targetUrl, country: "se", writingStrategy: "single_shot" });
  const alert = page.getByRole("alert");
  await alert.getByText("This job failed").waitFor();
  const main = page.locator("main");
  await alert.getByText("answered with status 404 Not Found").waitFor();
  // One mention in the notice, and one in the log.
  const log = page.getByRole("complementary");
  await log.getByText("status 404 Not Found").waitFor();
  const told = (await main.textContent())?.split("status 404 Not Found").length ?? 0;
  const logged = (await log.textContent())?.split("status 404 Not Found").length ?? 0;
  expect([told, logged]).toEqual([3, 2]);
  expect(await page.getByRole("button", { name: "Retry" }).isEnabled()).toBe(true);

  const input = page.getByRole("region", { name: "Input" });
  const rows = (await input.locator("dt").allTextContents()).join();
  expect(rows).toBe("Publisher,Target,Anchor text,Writer,Strategy,Country");
  await input.getByText("In one go").waitFor();
  const again = input.getByRole("link", { name: "New job with this input" });
  const correct = alert.getByRole("link", { name: "Correct the input in a new job" });
  expect(await again.getAttribute("href")).toBe(await correct.getAttribute("href"));
  await correct.click();
  await page.getByRole("heading", { name: "New article" }).waitFor();
  expect(await page.getByLabel("Target").inputValue()).toBe(targetUrl);
  expect(await page.getByLabel("Strategy").inputValue()).toBe("single_shot");
  expect(await page.getByLabel(/Country/).inputValue()).toBe("SE");
});

test("the address of a missing job or batch shows one sentence and the way back", async () => {
  for (const [what, list] of [
    ["job", "Jobs"],
    ["batch", "Batches"],
  ] as const) {
    await page.goto(`${server.url}/${what === "job" ? "jobs" : "batches"}/abc`);
    await page.getByRole("heading", { name: `There is no such ${what}` }).waitFor();
    await page.getByText("The address may be misspelt").waitFor();
    expect(await page.locator("main").textContent()).not.toContain("UUID");
    await page.getByRole("link", { name: `Go to ${list.toLowerCase()}` }).click();
    await page.getByRole("heading", { level: 1, name: list }).waitFor();
  }
});

/** The lists of a person who may see everyone's jobs and batches, in a real browser. */
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { openUser } from "#e2e/legacy/signed-in-programs.ts";
import { type RunningServer, startServer } from "#e2e/server.ts";
import { isSettled } from "#shared/job.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import { faultsInAllLooks, openTestPage, type TestPage } from "#test/browser/page.fixture.ts";
import { type Claims, SECRET, tokenFor } from "#test/transports/signed-in.fixture.ts";
import { launchBrowser } from "./browser.ts";
import { articleAbout, headingBadge } from "./samples.ts";

const LONG_NAME = `auth0|${"0123456789abcdef".repeat(6)}`;
const DESKTOP = { width: 1280, height: 900 };
const SIZES = [{ width: 360, height: 900 }, DESKTOP];
const LEAD = [...PERSON_SCOPES, "tenant"].join(" ");

let server: RunningServer;
let browser: Browser;
let opened: TestPage;
let page: Page;

beforeAll(async () => {
  server = await startServer({ env: { AUTH_JWT_SECRET: SECRET, OFFLINE_PACE_MS: "0" } });
  browser = await launchBrowser();
  for (const user of ["lead", "ann", LONG_NAME]) await create(user);
  // Of another tenant.
  await create("zoe", { tenant: "globex" });
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});
afterEach(() => opened.close());

const article = (url: string) => ({ kind: "article", input: articleAbout(url) });

/** Three jobs, one of which waits for a decision and one is that of a batch. */
async function create(user: string, claims: Claims = {}): Promise<void> {
  const { trpc, createUndecided } = await openUser(server, user, claims);
  await trpc.job.create.mutate(article(server.url));
  await createUndecided();
  await trpc.batch.create.mutate({ name: `Batch of ${user}`, jobs: [article(server.url)] });
  await vi.waitFor(
    async () => {
      const { items } = await trpc.job.list.query({});
      expect(items.every(({ status }) => isSettled(status))).toBe(true);
    },
    { timeout: 120_000 },
  );
}

async function signIn(user: string, path: string, { scope }: { scope: string }): Promise<void> {
  opened = await openTestPage(browser, { viewport: DESKTOP });
  page = opened.page;
  await page.goto(server.url + path);
  await page.getByLabel("API key or token").fill(await tokenFor(user, { scope }));
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: /^Account/ }).waitFor();
}

const choice = (name: "Yours" | "Everyone’s") => page.getByRole("button", { name, exact: true });
const rows = () => page.getByRole("main").getByRole("listitem");
const row = (text: string) => rows().filter({ hasText: text });
const isChosen = (name: "Yours" | "Everyone’s") => choice(name).getAttribute("aria-pressed");

/** Waits until the list has this many rows, and returns the owners that they name, sorted: "" for none. */
async function readOwners(count: number): Promise<string[]> {
  const texts = await vi.waitFor(async () => {
    const found = await rows().allInnerTexts();
    expect(found).toHaveLength(count);
    return found;
  });
  return texts.map((text) => /^(.*) · /m.exec(text)?.[1] ?? "").toSorted();
}

const times = (count: number, owner: string) => Array.from({ length: count }, () => owner);
const everyones = (count: number) => ["", "ann", LONG_NAME].flatMap((owner) => times(count, owner));

test("[P4] a lead sees everyone's jobs with their owners; the status filter, a job and a reload keep the choice", async () => {
  await signIn("lead", "/", { scope: LEAD });
  expect(await readOwners(3)).toEqual(times(3, ""));
  expect(await isChosen("Yours")).toBe("true");
  await choice("Everyone’s").click();
  expect(await readOwners(9)).toEqual(everyones(3));
  expect(await isChosen("Everyone’s")).toBe("true");
  expect(new URL(page.url()).search).toBe("?of=everyone");

  const filter = page.getByRole("group", { name: "Show" });
  await filter.getByRole("button", { name: "Blocked" }).click();
  expect(await readOwners(3)).toEqual(everyones(1));
  const address = page.url();
  expect(Object.fromEntries(new URL(address).searchParams)).toEqual({
    of: "everyone",
    show: "BLOCKED",
  });
  await row("ann · ").click();
  await headingBadge(page, "BLOCKED").waitFor();
  expect(await page.getByRole("main").innerText()).toContain("by ann");
  await page.goBack();
  expect(await readOwners(3)).toEqual(everyones(1));
  await page.reload();
  expect(await readOwners(3)).toEqual(everyones(1));
  expect(page.url()).toBe(address);
  expect(await isChosen("Everyone’s")).toBe("true");

  await choice("Yours").click();
  await vi.waitFor(async () => expect(await rows().count()).toBe(1));
  expect(await readOwners(1)).toEqual([""]);
  expect(new URL(page.url()).search).toBe("?show=BLOCKED");
});

test("[P4] a lead sees everyone's batches with their owners; a batch, a reload and the menu keep the choice", async () => {
  await signIn("lead", "/batches", { scope: LEAD });
  expect(await readOwners(1)).toEqual([""]);
  await choice("Everyone’s").click();
  expect(await readOwners(3)).toEqual(everyones(1));
  await row("Batch of ann").click();
  await page.getByRole("heading", { name: "Batch of ann" }).waitFor();
  expect(await page.getByRole("main").innerText()).toContain("by ann");
  await page.goBack();
  expect(await readOwners(3)).toEqual(everyones(1));
  await page.reload();
  expect(await readOwners(3)).toEqual(everyones(1));
  expect(await isChosen("Everyone’s")).toBe("true");
  const menu = page.getByRole("navigation", { name: "Main" });
  await menu.getByRole("link", { name: "Jobs" }).click();
  expect(await readOwners(9)).toEqual(everyones(3));
  await menu.getByRole("link", { name: "Batches" }).click();
  expect(await readOwners(3)).toEqual(everyones(1));
});

test.each(["/", "/batches"])(
  "[P4] a person without `tenant` has no choice at %s, and sees its own whatever the address says",
  async (path) => {
    await signIn("ann", `${path}?of=everyone`, { scope: PERSON_SCOPES.join(" ") });
    const count = path === "/" ? 3 : 1;
    expect(await readOwners(count)).toEqual(times(count, ""));
    expect(await page.getByRole("group", { name: "Whose" }).count()).toBe(0);
    expect(await page.getByRole("alert").count()).toBe(0);
  },
);

/** True if what happens in the job can be read beside the name of its owner. */
function leavesRoom(item: Locator): Promise<boolean> {
  return item.getByText(" · ").evaluate((line) => {
    const range = document.createRange();
    range.selectNodeContents(line.lastChild ?? line);
    return range.getBoundingClientRect().left < line.getBoundingClientRect().right - 100;
  });
}

test("in either theme, everyone's lists fit a phone and a desktop, also with a long name, and axe finds no serious violation", async () => {
  await signIn("lead", "/?of=everyone", { scope: LEAD });
  const longRow = row(LONG_NAME).first();
  const seeLooks = async () => {
    await longRow.waitFor();
    const leaving: boolean[] = [];
    const look = async () => leaving.push(await leavesRoom(longRow));
    expect(await faultsInAllLooks(page, SIZES, look)).toEqual([]);
    expect(leaving).toEqual([true, true, true, true]);
  };
  await seeLooks();
  await page.getByRole("link", { name: "Batches" }).click();
  await choice("Everyone’s").click();
  await seeLooks();
});

test("[P4] everyone's list shows at once what others create, and one's own list does not", async () => {
  const [lead, ann] = [await openUser(server, "lead"), await openUser(server, "ann")];
  await signIn("lead", "/?of=everyone", { scope: LEAD });
  expect(await readOwners(9)).toEqual(everyones(3));
  await ann.trpc.job.create.mutate(article(server.url));
  expect(await readOwners(10)).toEqual([
    ...times(3, ""),
    ...times(4, "ann"),
    ...times(3, LONG_NAME),
  ]);
  await choice("Yours").click();
  await vi.waitFor(async () => expect(await rows().count()).toBe(3));
  await ann.trpc.job.create.mutate(article(server.url));
  await lead.trpc.job.create.mutate(article(server.url));
  expect(await readOwners(4)).toEqual(times(4, ""));
});

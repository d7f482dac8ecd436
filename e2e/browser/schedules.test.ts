/** The page's list of schedules: what it shows of them, and what a person does with them. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createJobwireClient } from "#client/lib/client.ts";
import { faultsOf, openTestPage, PHONE, type TestPage } from "#test/browser/page.fixture.ts";
import { launchBrowser } from "./browser.ts";
import { type KindsServer, startKinds } from "./kinds.fixture.ts";

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
});
afterEach(() => opened.close());

const row = (key: string) => page.getByRole("listitem", { name: key });
const press = (key: string, name: string) => row(key).getByRole("button", { name }).click();

async function remove(key: string): Promise<void> {
  await press(key, "Delete");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await row(key).waitFor({ state: "detached" });
}

test("[K1] [K5] a person makes a schedule, and reads what is wrong with it", async () => {
  await page.goto(`${server.url}/schedules`);
  await page.getByRole("link", { name: "New schedule" }).click();
  const create = () => page.getByRole("button", { name: "Create schedule" }).click();
  await page.getByLabel("Kind").selectOption("anything");
  await page.getByLabel("Name").fill("by hand");
  await page.getByLabel("Times").fill("0 0 31 2 *");
  await page.getByLabel("Input").fill('"x');
  await create();
  await page.getByLabel("Input").and(page.locator("[aria-invalid=true]")).waitFor();
  await page.getByLabel("Input").fill('"x"');
  await create();
  await page.getByText("names no time that ever comes").first().waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.getByLabel("Times").fill("@daily");
  await page.getByLabel("Time zone").fill("Asia/Tokyo");
  await create();
  await row("by hand").getByText("anything · @daily (Asia/Tokyo)").waitFor();
  await row("by hand").getByText("Next times and input").click();
  const times = row("by hand").getByRole("list", { name: "Next times" }).getByRole("listitem");
  await times.nth(4).waitFor();
  // It is the time of the schedule's own zone, beside the one of the browser's.
  expect(await times.allInnerTexts()).toEqual(
    Array.from({ length: 5 }, () => expect.stringContaining("00:00 Asia/Tokyo") as string),
  );
  expect(await faultsOf(page)).toEqual([]);
  await remove("by hand");
});

test("[K1] [K10] a person makes schedules by an interval, and once with options", async () => {
  await page.goto(`${server.url}/schedules/new`);
  const create = () => page.getByRole("button", { name: "Create schedule" }).click();
  const fill = async (name: string, by: string) => {
    await page.getByLabel("Kind").selectOption("anything");
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Creates a job").selectOption(by);
    await page.getByLabel("Input").fill('"x"');
  };
  await fill("hourly", "At an interval");
  await page.getByLabel("Every").fill("none");
  await create();
  await page.getByText("Enter a number above 0").waitFor();
  await page.getByLabel("Every").fill("90");
  await page.getByLabel("Unit").selectOption("minutes");
  await create();
  await row("hourly").getByText("anything · every 90 min").waitFor();

  await page.getByRole("link", { name: "New schedule" }).click();
  await fill("a day", "Once");
  const option = (name: string) => page.getByLabel(name, { exact: true });
  await page.getByText("Options", { exact: true }).click();
  await option("Priority").selectOption("5");
  await option("Attempts at most").fill("0");
  await create();
  await page.getByText("Must be a whole number from 1 to 100").waitFor();
  await option("Attempts at most").fill("2");
  await option("Expires after minutes").fill("120");
  expect(await page.getByLabel("Start", { exact: true }).count()).toBe(0);
  await page.getByText("Enter a day and a time").waitFor();
  await page.getByLabel("Day and time").fill("2099-07-01T09:00");
  await page.getByLabel("When missed").selectOption("No job");
  expect(await faultsOf(page)).toEqual([]);
  await create();
  const words = "anything · once · priority 5 · expires after 2 h · at most 2 attempts";
  await row("a day").getByText(words).waitFor();
  await row("a day").getByText("1 Jul 2099, 09:00").waitFor();
  await remove("hourly");
  await remove("a day");
});

test("[K2] [K8] [K11] a person sees when schedules create jobs, pauses, resumes, runs and deletes them", async () => {
  await page.goto(server.url);
  await page.getByRole("link", { name: "Schedules" }).click();
  await page.getByRole("heading", { name: "No schedules yet" }).waitFor();

  const client = createJobwireClient({ url: server.url });
  const kind = "anything";
  const nightly = { kind, input: "x", cron: "0 3 * * *", timeZone: "Europe/Stockholm" };
  await client.trpc.schedule.upsert.mutate({ ...nightly, key: "nightly" });
  await client.trpc.schedule.upsert.mutate({ kind, input: "x", key: "rare", everyMs: 7_200_000 });
  client.close();
  // The page reads the list again by itself.
  await row("nightly").getByText("anything · 0 3 * * * (Europe/Stockholm)").waitFor();
  await row("rare").getByText("anything · every 2 h").waitFor();
  await row("nightly").locator("[data-status=active]").waitFor();
  expect(await faultsOf(page)).toEqual([]);

  await press("nightly", "Pause");
  await row("nightly").locator("[data-status=paused]").waitFor();
  await row("nightly").getByText("none", { exact: true }).waitFor();
  await press("nightly", "Resume");
  await row("nightly").locator("[data-status=active]").waitFor();

  await remove("rare");

  await press("nightly", "Run now");
  await row("nightly").getByRole("link", { name: "Show", exact: true }).click();
  await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
  await page.getByText("Created from a schedule").waitFor();
  const title = await page.getByRole("heading", { level: 1 }).innerText();
  await page.getByRole("link", { name: "of a schedule" }).click();
  await page.getByRole("heading", { name: "Jobs of nightly" }).waitFor();
  const listed = page.getByRole("region", { name: "Jobs" }).getByRole("link");
  await listed.filter({ hasText: title }).waitFor();
  expect(await listed.count()).toBe(1);
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole("link", { name: "Schedules" }).click();
  await row("nightly").getByRole("link", { name: "Show all" }).click();
  await page.waitForURL(/\/schedules\/[0-9a-f-]{36}\/jobs$/);
  // A job that is created meanwhile comes by itself.
  const other = createJobwireClient({ url: server.url });
  const scheduleId = /schedules\/([^/]+)/.exec(page.url())?.[1] ?? "";
  await other.trpc.schedule.trigger.mutate({ scheduleId });
  await other.trpc.job.create.mutate({ kind, input: "y" });
  other.close();
  await listed.nth(1).waitFor();
  expect(await listed.count()).toBe(2);
  await page.goto(`${server.url}/schedules`);
  await row("nightly").getByRole("link", { name: "Show", exact: true }).click();
  await page.getByText("Created from a schedule").waitFor();
  await page.goBack();
  await row("nightly").waitFor();
  await page.setViewportSize(PHONE);
  expect(await faultsOf(page)).toEqual([]);
});

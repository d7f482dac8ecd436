/** The page's workers and pauses: what operators and admins see and do. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { createJobwireClient } from "#client/lib/client.ts";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { defineKind } from "#server/kinds/define.ts";
import { faultsOf, openTestPage, PHONE, type TestPage } from "#test/browser/page.fixture.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { waits } from "#test/jobs/waits.ts";
import { signIn, startAppWithTokens, tokenFor } from "#test/transports/signed-in.fixture.ts";
import { launchBrowser } from "./browser.ts";

const WAITS = { kind: "waits", input: {} };

let browser: Browser;
let data: TestData;
let app: App;
let opened: TestPage;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  data = await newTestData();
  Object.assign(data.env, { SHUTDOWN_GRACE_MS: "0", NODE_NAME: "here", CONCURRENCY: "2" });
  opened = await openTestPage(browser);
  page = opened.page;
});
afterEach(async () => {
  await opened.close();
  await app.close();
  await data.remove();
});

const worker = () => page.getByRole("listitem", { name: "here" });
const press = (name: string) => page.getByRole("button", { name }).click();

async function pauseFor(label: string, reason: string): Promise<void> {
  await press(label);
  await page.getByLabel("Reason").fill(reason);
  await page.getByRole("dialog").getByRole("button", { name: label }).click();
}

test("[O1] [O4] [O5] an operator sees what a worker runs, drains it, pauses everything and resumes it", async () => {
  app = await createApp(loadConfig({ PORT: "0", LOG_LEVEL: "silent", ...data.env }), {
    kinds: [waits],
  });
  const { trpc, close } = createJobwireClient({ url: app.url });
  onTestFinished(close);
  const { id: jobId } = await trpc.job.create.mutate(WAITS);
  await page.goto(app.url);
  await page.getByRole("link", { name: "Workers" }).click();
  await worker().getByText("1 of 2 jobs").waitFor();
  await worker().getByText("What it runs").click();
  await worker().getByRole("link", { name: jobId }).waitFor();
  expect(await faultsOf(page)).toEqual([]);

  await press("Drain");
  await worker().locator("[data-status=draining]").waitFor();
  await trpc.job.cancel.mutate({ jobId });
  await worker().locator("[data-status=drained]").waitFor();
  await press("Resume");
  await worker().locator("[data-status=running]").waitFor();

  await trpc.pause.set.mutate({ tenant: "acme", note: "They asked for it" });
  const ofTenants = page.getByRole("region", { name: "Paused tenants" });
  await ofTenants.getByText("They asked for it").waitFor();
  await ofTenants.getByRole("button", { name: "Resume" }).click();
  await ofTenants.waitFor({ state: "detached" });
  await pauseFor("Pause jobs", "The provider is down");
  await page.getByText("Everything is paused").waitFor();
  await worker().locator("[data-status=paused]").waitFor();
  const { id: waiting } = await trpc.job.create.mutate(WAITS);
  await page.setViewportSize(PHONE);
  expect(await faultsOf(page)).toEqual([]);
  // Colours that are still changing have too little contrast.
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  await page.reload();
  await worker().locator("[data-status=paused]").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.goto(`${app.url}/jobs/${waiting}`);
  await page.getByText("The provider is down").waitFor();
  await press("Resume");
  await page.getByText("Everything is paused").waitFor({ state: "detached" });
  await page.getByText("Waiting", { exact: true }).first().waitFor();
});

test("[O5] an operator pauses one kind of all, which the banner ends", async () => {
  const others = defineKind({
    name: "others",
    input: z.object({}),
    output: z.unknown(),
    run: async () => null,
  });
  app = await createApp(loadConfig({ PORT: "0", LOG_LEVEL: "silent", ...data.env }), {
    kinds: [waits, others],
  });
  await page.goto(`${app.url}/workers`);
  await press("Pause jobs");
  await page.getByRole("dialog").getByLabel("Jobs").selectOption("others");
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole("dialog").getByRole("button", { name: "Pause jobs" }).click();
  await page.getByText("Jobs of the kind others are paused").waitFor();
  await page.setViewportSize(PHONE);
  expect(await faultsOf(page)).toEqual([]);
  await press("Resume");
  await page.getByText("Jobs of the kind others are paused").waitFor({ state: "detached" });
});

test("[O3] an admin pauses the tenant's jobs from the account, and sees no workers", async () => {
  app = await startAppWithTokens(data, { kinds: [waits] });
  const cookie = await signIn(app, await tokenFor("boss", { scope: "jobs:read jobs:write admin" }));
  const [name = "", value = ""] = cookie.split("=");
  await page.context().addCookies([{ name, value, url: app.url }]);
  await page.goto(app.url);
  await press("Account: boss");
  expect(await page.getByRole("link", { name: "Workers" }).count()).toBe(0);
  await pauseFor("Pause jobs", "Moving the office");
  await page.getByText("All jobs of your tenant are paused").waitFor();
  await page.getByText("Moving the office").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await press("Resume");
  await page.getByText("All jobs of your tenant are paused").waitFor({ state: "detached" });
});

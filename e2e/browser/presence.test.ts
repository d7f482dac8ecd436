/** Two people at one review, in two browsers at two gateways on one Redis. */
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from "vitest";
import { openUser } from "#e2e/legacy/signed-in-programs.ts";
import { type RunningServer, startServer } from "#e2e/server.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import { changeTheme, faultsOf, openTestPage } from "#test/browser/page.fixture.ts";
import { startRedis, type TestRedis } from "#test/redis/server.fixture.ts";
import { SECRET, tokenFor } from "#test/transports/signed-in.fixture.ts";
import { launchBrowser } from "./browser.ts";
import { headingBadge } from "./samples.ts";

const LEAD = [...PERSON_SCOPES, "tenant"].join(" ");

let redis: TestRedis;
/** The first one runs the jobs as well. */
let gateways: RunningServer[];
let browser: Browser;

beforeAll(async () => {
  redis = await startRedis(inject("redisServer"));
  const env = {
    REDIS_URL: redis.url,
    AUTH_JWT_SECRET: SECRET,
    OFFLINE_PACE_MS: "0",
    HANDOVER_MS: "0",
    PRESENCE_HEARTBEAT_MS: "1000",
  };
  gateways = await Promise.all(
    ["all", "gateway"].map((ROLE) => startServer({ env: { ...env, ROLE } })),
  );
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  await redis.close();
});

async function openPage(gateway: RunningServer, user: string, path: string): Promise<Page> {
  const { page, close } = await openTestPage(browser, { viewport: { width: 1280, height: 900 } });
  onTestFinished(close);
  await page.clock.install();
  await page.goto(gateway.url + path);
  await page.getByLabel("API key or token").fill(await tokenFor(user, { scope: LEAD }));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}

const facesIn = (page: Page, region: "main" | "banner", where: "here" | "online") =>
  page
    .getByRole(region)
    .getByRole("list", { name: `Also ${where}` })
    .getByRole("listitem");

/** Waits until the page shows the faces of these people, and of no others. */
const expectFaces = (page: Page, names: string[]) =>
  vi.waitFor(async () => {
    for (const faces of [facesIn(page, "main", "here"), facesIn(page, "banner", "online")]) {
      const titles = await faces.evaluateAll((all) =>
        all.map((each) => each.getAttribute("title")),
      );
      expect(titles).toEqual(names);
    }
  });

/** Puts the page behind another tab, or shows it again. */
const setVisibility = (page: Page, to: "hidden" | "visible") =>
  page.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { get: () => state, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, to);

const noteOf = (page: Page) => page.locator("dialog[open] textarea");

/** Goes on to write until the other page shows it, however slow the machine is. */
const writeUntil = (page: Page, shown: Locator) =>
  vi.waitFor(async () => {
    await noteOf(page).pressSequentially(".");
    expect(await shown.count()).toBe(1);
  });

test("[W1] [W4] [W5] two people see each other, that the other writes, and the decision, and a killed gateway takes nothing with it", async () => {
  const [here, there] = gateways as [RunningServer, RunningServer];
  const author = await openUser(here, "ann");
  const jobId = await author.createUndecided();
  await vi.waitFor(async () => expect(await author.statusOf(jobId)).toBe("BLOCKED"));
  const ann = await openPage(here, "ann", `/jobs/${jobId}`);
  await headingBadge(ann, "BLOCKED").waitFor();
  await expectFaces(ann, []);
  const bob = await openPage(there, "bob", `/jobs/${jobId}`);
  await expectFaces(ann, ["bob"]);
  await expectFaces(bob, ["ann"]);
  for (const theme of ["light", "dark"] as const) {
    await changeTheme(ann, theme);
    expect(await faultsOf(ann)).toEqual([]);
  }

  await bob.getByRole("button", { name: "Reject" }).click();
  await noteOf(bob).fill("Too thin");
  await writeUntil(bob, ann.getByRole("status").filter({ hasText: "bob is writing…" }));
  await ann.setViewportSize({ width: 360, height: 740 });
  expect(await faultsOf(ann)).toEqual([]);
  await ann.setViewportSize({ width: 1280, height: 900 });
  await ann.getByRole("button", { name: "Approve" }).click();
  const toldBob = bob.locator("dialog[open]").getByRole("status");
  await writeUntil(ann, toldBob.filter({ hasText: /^ann is writing…$/ }));
  await ann.getByRole("button", { name: "Close" }).click();
  await toldBob.filter({ hasText: "writing" }).waitFor({ state: "detached" });

  await bob.locator("dialog[open]").getByRole("button", { name: "Reject" }).click();
  await headingBadge(ann, "ABORTED").waitFor();
  await headingBadge(bob, "ABORTED").waitFor();
  await ann.getByRole("status").filter({ hasText: "writing" }).waitFor({ state: "detached" });
  expect(await ann.getByRole("main").innerText()).toContain("Too thin");

  await there.kill("SIGKILL");
  await expectFaces(ann, []);
  await there.restart();
  await expectFaces(ann, ["bob"]);
  await expectFaces(bob, ["ann"]);

  await setVisibility(bob, "hidden");
  await bob.clock.fastForward(61_000);
  await expectFaces(ann, []);
  await setVisibility(bob, "visible");
  await expectFaces(ann, ["bob"]);
  await expectFaces(bob, ["ann"]);
});

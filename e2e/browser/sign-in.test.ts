/** The page of a server that takes tokens, in a real browser. */
import type { Browser, Page } from "playwright-core";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { type Pages, startPages } from "#e2e/pages.ts";
import { type RunningServer, startServer } from "#e2e/server.ts";
import { createRemoteManagement } from "#server/control/client.ts";
import { controlSocketOf } from "#server/control/socket-path.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import { faultsInAllLooks, openTestPage, type TestPage } from "#test/browser/page.fixture.ts";
import { type Claims, SECRET, tokenFor } from "#test/transports/signed-in.fixture.ts";
import { launchBrowser } from "./browser.ts";
import { articleAbout, createArticle, headingBadge } from "./samples.ts";

const SMALL = { width: 320, height: 640 };
const LONG_NAME = `auth0|${"0123456789abcdef".repeat(6)}`;

let pages: Pages;
let server: RunningServer;
let browser: Browser;
let opened: TestPage;
let page: Page;

beforeAll(async () => {
  pages = await startPages();
  server = await startServer({
    env: {
      ...pages.env,
      AUTH_JWT_SECRET: SECRET,
      OFFLINE_PACE_MS: "5",
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
  opened = await openTestPage(browser);
  page = opened.page;
});
afterEach(async () => {
  pages.release();
  await opened.close();
});

const go = (path: string) => page.goto(server.url + path);
const field = (on = page) => on.getByLabel("API key or token");
const account = () => page.getByRole("button", { name: /^Account/ });
const dialog = () => page.getByRole("dialog", { name: "Sign in again" });
const createButton = () => page.getByRole("button", { name: "Create job" });
const now = () => Math.floor(Date.now() / 1000);

async function enter(token: string, on = page): Promise<void> {
  await field(on).fill(token);
  await field(on).press("Enter");
}

async function signInAs(user: string, path = "/", claims = (): Claims => ({})): Promise<void> {
  await go(path);
  await field().waitFor();
  await enter(await tokenFor(user, claims()));
  await account().waitFor();
}

/** Ends the sign-in behind the page's back. */
async function signOutElsewhere(): Promise<void> {
  const other = await page.context().newPage();
  await other.goto(`${server.url}/samples/`);
  const status = await other.evaluate(async () => {
    const headers = { "content-type": "application/json" };
    return (await fetch("/auth/sign-out", { method: "POST", headers, body: "{}" })).status;
  });
  expect(status).toBe(200);
  await other.close();
}

/** Jobs of the user, asked with a token. */
async function jobsOf(user: string): Promise<{ title: string }[]> {
  const input = encodeURIComponent('{"json":{"limit":50}}');
  const response = await fetch(`${server.url}/trpc/job.list?input=${input}`, {
    headers: { authorization: `Bearer ${await tokenFor(user)}` },
  });
  const { result } = (await response.json()) as {
    result: { data: { json: { items: { title: string }[] } } };
  };
  return result.data.json.items;
}

test("a person signs in, creates a job, watches it live, reloads, and signs out", async () => {
  await go("/jobs/new");
  await enter(await tokenFor("ann"));
  // The address that the person opened.
  await createButton().click();
  await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
  await headingBadge(page, "DELIVERED").waitFor();
  await page.locator("[data-connection=live]").waitFor();
  const job = page.url();

  await page.reload();
  await page.locator("article").waitFor();
  expect(await field().count()).toBe(0);
  await account().click();
  const card = page.getByRole("group", { name: "Account" });
  expect(await card.textContent()).toMatch(/User\s*ann\s*Tenant\s*acme/);
  await card.getByRole("button", { name: "Sign out" }).click();
  await field().waitFor();
  expect(await page.locator("h1").textContent()).toBe("Sign in to Jobwire");
  expect(await page.context().cookies()).toEqual([]);

  await page.goto(job);
  await field().waitFor();
  expect(await page.getByText("self-watering").count()).toBe(0);
  await enter(await tokenFor("ann"));
  await page.locator("article").waitFor();
  expect(page.url()).toBe(job);
});

test("[P16] the timeline says who did what, also on a phone", async () => {
  const { apiKeys } = createRemoteManagement(controlSocketOf(server.dataDir).path ?? "");
  const { key } = await apiKeys.create({
    tenant: "acme",
    user: "reports",
    scopes: [...PERSON_SCOPES],
    label: "Nightly",
    expiresAt: null,
  });
  const as = (token: string, path: string, input: object) =>
    page.request.post(`${server.url}/trpc/${path}`, {
      headers: { authorization: `Bearer ${token}` },
      data: { json: input },
    });
  const input = articleAbout(server.url, { target: "unknown" });
  const made = await as(key, "job.create", { kind: "article", input });
  const { result } = (await made.json()) as { result: { data: { json: { id: string } } } };
  const jobId = result.data.json.id;
  const bob = await tokenFor(LONG_NAME, { scope: [...PERSON_SCOPES, "tenant"].join(" ") });
  await signInAs("reports", `/jobs/${jobId}`);
  await headingBadge(page, "ABORTED").waitFor();
  await as(bob, "job.retry", { jobId });
  await headingBadge(page, "ABORTED").waitFor();
  await page.getByRole("button", { name: "Retry" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Retry" }).click();

  const timeline = page.getByRole("list", { name: "Timeline, newest first" });
  await timeline.getByText("Queued again by you").waitFor();
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    const text = await timeline.innerText();
    expect(text).toContain("Created by you, with an API key");
    expect(text).toContain(`Queued again by ${LONG_NAME}`);
    // The server ended it, and no caller.
    expect(text).not.toMatch(/(?:Started|Aborted) by/);
    expect(text).not.toContain("Nightly");
    const isTooWide = "document.documentElement.scrollWidth > window.innerWidth";
    expect(await page.evaluate(isTooWide)).toBe(false);
  }
});

test("scripts of the page cannot read the cookie, and password managers know the field", async () => {
  await go("/");
  expect(await field().getAttribute("type")).toBe("password");
  expect(await field().getAttribute("autocomplete")).toBe("current-password");
  expect(await field().evaluate((input) => input === document.activeElement)).toBe(true);
  await enter(await tokenFor("ann"));
  await account().waitFor();
  expect(await page.evaluate(() => document.cookie)).toBe("");
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ name: "jobwire", httpOnly: true, sameSite: "Lax", path: "/" });
  const stored = await page.evaluate(() =>
    [localStorage, sessionStorage].flatMap((storage) => Object.values<string>(storage)),
  );
  expect(stored).toEqual([]);
});

test("a token that is refused leaves the person at the sign-in, with the reason in words", async () => {
  await go("/");
  for (const [token, words] of [
    ["", "Paste your API key or token."],
    ["nonsense", "The server does not accept this."],
    [await tokenFor("ann", { exp: now() - 60 }), "This token has expired."],
  ] as const) {
    await enter(token);
    await page.getByText(words).waitFor();
    expect(await field().getAttribute("aria-invalid")).toBe("true");
  }
  await page.route("**/auth/sign-in", (route) => route.abort());
  await enter(await tokenFor("ann"));
  await page.getByText("The server cannot be reached.").waitFor();
  await page.unroute("**/auth/sign-in");
  await enter(await tokenFor("ann"));
  await account().waitFor();
});

test("a browser that keeps no cookie is told so", async () => {
  await go("/");
  await page.route("**/auth/sign-in", async (route) => {
    const response = await route.fetch();
    await page.context().clearCookies();
    const { "set-cookie": _dropped, ...headers } = response.headers();
    await route.fulfill({ status: 200, headers, body: await response.text() });
  });
  await enter(await tokenFor("ann"));
  await page.getByText("the browser did not keep its cookie").waitFor();
  expect(await account().count()).toBe(0);
});

test("when the sign-in expires, a half-filled form keeps its text, and is sent after the next sign-in", async () => {
  // Without a connection the page learns of the end by the call that the form makes.
  let isCut = true;
  await page.routeWebSocket(/\/trpc/, (socket) => {
    if (isCut) void socket.close();
    else socket.connectToServer();
  });
  // Long enough to sign in with on a slow machine.
  await signInAs("bob", "/jobs/new", () => ({ exp: now() + 12 }));
  await page.getByLabel("Anchor text").fill("typed before the end");
  const isSignedIn = () => page.evaluate(async () => (await fetch("/auth/me")).ok);
  await vi.waitFor(async () => expect(await isSignedIn()).toBe(false));
  await page.getByLabel("Country").fill("SE");
  await createButton().click();
  await dialog().waitFor();
  isCut = false;
  for (let times = 0; times < 3; times++) await page.keyboard.press("Escape");
  // Chromium lets a page hold up only the first of them, so the dialog opens again.
  await dialog().waitFor();
  expect(await page.getByLabel("Anchor text").inputValue()).toBe("typed before the end");

  await enter("nonsense");
  await dialog().getByText("The server does not accept this.").waitFor();
  expect(await jobsOf("bob")).toEqual([]);
  await enter(await tokenFor("bob"));
  await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
  await dialog().waitFor({ state: "detached" });
  await headingBadge(page, "DELIVERED").waitFor();
  const jobs = await jobsOf("bob");
  expect(jobs.map(({ title }) => title)).toEqual([
    expect.stringContaining("typed before the end") as string,
  ]);
});

test("a job that is watched goes on after the sign-in ended and began anew", async () => {
  await signInAs("carl");
  pages.hold();
  const create = await fetch(`${server.url}/trpc/job.create`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${await tokenFor("carl")}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ json: { kind: "article", input: pages.article } }),
  });
  const { result } = (await create.json()) as { result: { data: { json: { id: string } } } };
  await go(`/jobs/${result.data.json.id}`);
  await headingBadge(page, "PROCESSING").waitFor();
  await signOutElsewhere();
  // The server closes the page's WebSocket, so the page learns of it without a call.
  await dialog().waitFor();
  pages.release();
  await enter(await tokenFor("carl"));
  await headingBadge(page, "DELIVERED").waitFor();
  await page.locator("[data-connection=live]").waitFor();
  expect(await page.getByRole("alert").count()).toBe(0);
});

test("a sign-in in another tab is enough for this one", async () => {
  await signInAs("dora", "/jobs/new");
  await page.getByLabel("Anchor text").fill("kept");
  await signOutElsewhere();
  await dialog().waitFor();
  const other = await page.context().newPage();
  await other.goto(server.url);
  await enter(await tokenFor("dora"), other);
  await other.getByRole("button", { name: /^Account/ }).waitFor();
  await other.close();
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await dialog().waitFor({ state: "detached" });
  expect(await page.getByLabel("Anchor text").inputValue()).toBe("kept");
});

test("another person who signs in sees nothing of the one before", async () => {
  await signInAs("eve", "/jobs/new");
  await page.getByLabel("Anchor text").fill("a secret of eve");
  await signOutElsewhere();
  await dialog().waitFor();
  await enter(await tokenFor("frank"));
  await page.getByRole("button", { name: "Account: frank" }).waitFor();
  expect(await page.getByLabel("Anchor text").inputValue()).not.toContain("eve");
});

test("signing out in the dialog leads to the sign-in; while the server is away it says so", async () => {
  await signInAs("gina");
  await signOutElsewhere();
  await page.route("**/auth/sign-out", (route) => route.abort());
  await dialog().getByRole("button", { name: "Sign out" }).click();
  await dialog().getByText("you are still signed in").waitFor();
  await page.unroute("**/auth/sign-out");
  await dialog().getByRole("button", { name: "Sign out" }).click();
  // The dialog has such a field too.
  await vi.waitFor(async () =>
    expect(await page.locator("h1").textContent()).toBe("Sign in to Jobwire"),
  );
  await field().waitFor();
});

test("in either theme, the sign-in fits a small phone, and axe finds no serious violation", async () => {
  const isFaultless = async () => expect(await faultsInAllLooks(page, [SMALL])).toEqual([]);
  await page.setViewportSize(SMALL);
  await go("/jobs/new");
  await field().waitFor();
  await isFaultless();
  await enter(await tokenFor("a.person.with.a.long.name+phone@departments.example.com"));
  await account().click();
  await isFaultless();
  await page.keyboard.press("Escape");
  await signOutElsewhere();
  await dialog().waitFor();
  await isFaultless();
});

test("without authentication there is nothing to sign in to", async () => {
  const open = await startServer();
  onTestFinished(() => open.stop());
  const asked = page.waitForResponse(/\/auth\/me$/);
  await page.goto(open.url);
  await asked;
  await createArticle(page, open.url, pages.article);
  await page.getByText("self-watering planters").first().waitFor();
  expect(await account().count()).toBe(0);
  expect(await field().count()).toBe(0);
});

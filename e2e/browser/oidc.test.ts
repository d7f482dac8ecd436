/** Signing in at a real provider of OpenID Connect, on another site, in a real browser. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type RunningServer, startServer } from "#e2e/server.ts";
import {
  faultsInAllLooks,
  faultsOf,
  openTestPage,
  type TestPage,
} from "#test/browser/page.fixture.ts";
import { freePort } from "#test/free-port.ts";
import { startOidcProvider, type TestProvider } from "#test/oidc/provider.fixture.ts";
import { launchBrowser } from "./browser.ts";
import { headingBadge } from "./samples.ts";

const SMALL = { width: 320, height: 640 };

let provider: TestProvider;
let server: RunningServer;
let browser: Browser;
let opened: TestPage;
let page: Page;

beforeAll(async () => {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  provider = await startOidcProvider([url]);
  server = await startServer({
    env: {
      ...provider.envFor(url),
      PORT: String(port),
      OFFLINE_PACE_MS: "0",
      FETCH_ALLOW: "127.0.0.1,localhost",
    },
  });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.stop();
  await provider.stop();
});
beforeEach(async () => {
  opened = await openTestPage(browser);
  page = opened.page;
});
afterEach(async () => {
  provider.tenants.clear();
  await opened.close();
});

const go = (path: string) => page.goto(server.url + path);
const providerButton = (on = page) => on.getByRole("link", { name: "Sign in with Acme ID" });
const account = (user: string, on = page) => on.getByRole("button", { name: `Account: ${user}` });
const dialog = () => page.getByRole("dialog", { name: "Sign in again" });
const anchorText = () => page.getByLabel("Anchor text");

/** Fills the form of the provider. */
async function logIn(user: string, on = page): Promise<void> {
  await on.getByPlaceholder("Enter any login").fill(user);
  await on.getByPlaceholder("and password").fill("any");
  await on.getByRole("button", { name: "Sign-in" }).click();
}

async function signInAs(user: string, path = "/"): Promise<void> {
  await go(path);
  await providerButton().click();
  await logIn(user);
  await account(user).waitFor();
}

/** Ends the sign-in behind the page's back. `atProvider`: also the one at the provider. */
async function endSignIn({ atProvider }: { atProvider: boolean }): Promise<void> {
  const other = await page.context().newPage();
  await other.goto(`${server.url}/samples/`);
  const status = await other.evaluate(async () => {
    const headers = { "content-type": "application/json" };
    return (await fetch("/auth/sign-out", { method: "POST", headers, body: "{}" })).status;
  });
  expect(status).toBe(200);
  await other.close();
  if (atProvider) await page.context().clearCookies({ domain: "127.0.0.1" });
}

/** Opens the provider's window from the dialog. */
async function openWindow(): Promise<Page> {
  const popup = page.waitForEvent("popup");
  await providerButton().click();
  return popup;
}

test("[P18] a person signs in at the provider, is back where they were, works, and signs out", async () => {
  await signInAs("ann", "/jobs/new?from=a%20link");
  expect(page.url()).toBe(`${server.url}/jobs/new?from=a%20link`);
  await page.getByRole("button", { name: "Create job" }).click();
  await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
  await headingBadge(page, "DELIVERED").waitFor();
  const [cookie] = await page.context().cookies(server.url);
  expect(cookie).toMatchObject({ name: "jobwire", httpOnly: true, sameSite: "Lax" });
  await page.reload();
  await account("ann").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await providerButton().waitFor();
  expect(await page.context().cookies(server.url)).toEqual([]);
});

test("[P18] a sign-in that ended is renewed in a window that closes itself, and nothing that was typed is lost", async () => {
  // Without a connection the page learns of the end by the call that the form makes.
  let isCut = true;
  await page.routeWebSocket(/\/trpc/, (socket) => {
    if (isCut) void socket.close();
    else socket.connectToServer();
  });
  await signInAs("bob", "/jobs/new");
  await anchorText().fill("typed before the end");
  await endSignIn({ atProvider: true });
  await page.getByRole("button", { name: "Create job" }).click();
  await dialog().waitFor();
  isCut = false;
  const popup = await openWindow();
  const closed = popup.waitForEvent("close");
  await logIn("bob", popup);
  await closed;
  // The form is sent again by itself.
  await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
  await dialog().waitFor({ state: "detached" });
  await page.getByText("typed before the end").first().waitFor();
  await page.locator("[data-connection=live]").waitFor();
  expect(page.context().pages()).toHaveLength(1);
});

test("[P18] a provider that still knows the person asks nothing", async () => {
  await signInAs("carl", "/jobs/new");
  await anchorText().fill("kept");
  await endSignIn({ atProvider: false });
  await dialog().waitFor();
  const popup = await openWindow();
  if (!popup.isClosed()) await popup.waitForEvent("close");
  await dialog().waitFor({ state: "detached" });
  expect(await anchorText().inputValue()).toBe("kept");
});

test("[P18] a person who cancels in the window can try again there; the page below keeps what was typed", async () => {
  await signInAs("dora", "/jobs/new");
  await anchorText().fill("kept");
  await endSignIn({ atProvider: true });
  await dialog().waitFor();
  const popup = await openWindow();
  await popup.getByRole("link", { name: "Cancel" }).click();
  await popup.getByRole("heading", { name: "You were not signed in" }).waitFor();
  expect(await faultsOf(popup)).toEqual([]);
  expect(await dialog().isVisible()).toBe(true);
  const closed = popup.waitForEvent("close");
  await popup.getByRole("link", { name: "Try again" }).click();
  await logIn("dora", popup);
  await closed;
  await dialog().waitFor({ state: "detached" });
  expect(await anchorText().inputValue()).toBe("kept");
});

test("[P18] one window signs in all tabs that wait, and each keeps what was typed", async () => {
  await signInAs("eve", "/jobs/new");
  await anchorText().fill("in the first");
  const second = await page.context().newPage();
  await second.goto(`${server.url}/jobs/new`);
  await second.getByLabel("Anchor text").fill("in the second");
  await endSignIn({ atProvider: true });
  const secondDialog = second.getByRole("dialog", { name: "Sign in again" });
  await Promise.all([dialog().waitFor(), secondDialog.waitFor()]);
  const popup = await openWindow();
  await logIn("eve", popup);
  await Promise.all([
    dialog().waitFor({ state: "detached" }),
    secondDialog.waitFor({ state: "detached" }),
  ]);
  expect(await anchorText().inputValue()).toBe("in the first");
  expect(await second.getByLabel("Anchor text").inputValue()).toBe("in the second");
});

test("[P18] two tabs that sign in at the same time both end where they were", async () => {
  const second = await page.context().newPage();
  await go("/jobs/new");
  await second.goto(`${server.url}/batches`);
  await providerButton().click();
  await providerButton(second).click();
  await second.getByPlaceholder("Enter any login").waitFor();
  await logIn("fay");
  await account("fay").waitFor();
  await logIn("fay", second);
  await account("fay", second).waitFor();
  expect([page.url(), second.url()]).toEqual([`${server.url}/jobs/new`, `${server.url}/batches`]);
});

test("[P18] going back after signing in asks for nothing twice, and the person stays signed in", async () => {
  await signInAs("gus");
  await page.goBack();
  expect(new URL(page.url()).pathname).not.toMatch(/^\/auth/);
  await go("/");
  await account("gus").waitFor();
});

test("[P18] a person without a tenant reads so, and can go back to the other ways", async () => {
  provider.tenants.set("hal", undefined);
  await go("/jobs/new");
  await providerButton().click();
  await logIn("hal");
  await page.getByRole("heading", { name: "Your account has no tenant" }).waitFor();
  expect(await page.context().cookies(server.url)).toEqual([]);
  await page.getByRole("link", { name: "Go to Jobwire" }).click();
  await page.getByLabel("API key or token").waitFor();
  expect(page.url()).toBe(`${server.url}/jobs/new`);
});

test("in either theme, the ways to sign in fit a small phone, and axe finds no serious violation", async () => {
  const isFaultless = async (on = page) => expect(await faultsInAllLooks(on, [SMALL])).toEqual([]);
  await page.setViewportSize(SMALL);
  await go("/jobs/new");
  await providerButton().waitFor();
  await isFaultless();
  await providerButton().click();
  await logIn("ida");
  await account("ida").waitFor();
  await endSignIn({ atProvider: true });
  await dialog().waitFor();
  await isFaultless();
  provider.tenants.set("ida", undefined);
  const popup = await openWindow();
  await logIn("ida", popup);
  await popup.getByRole("heading", { name: "Your account has no tenant" }).waitFor();
  await isFaultless(popup);
});

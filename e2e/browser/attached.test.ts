/** Jobwire below a path of another program's server, over HTTP and HTTPS, with people who sign in at a provider. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { createJobwire, defineKind } from "#server/index.ts";
import { openTestPage, type TestPage } from "#test/browser/page.fixture.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { freePort } from "#test/free-port.ts";
import { startOidcProvider, type TestProvider } from "#test/oidc/provider.fixture.ts";
import { createPair } from "#test/tls/certificate.fixture.ts";
import { launchBrowser } from "./browser.ts";
import { headingBadge } from "./samples.ts";

const BASE = "/tools/jobs";
const greeting = defineKind({
  name: "greeting",
  input: z.object({ name: z.string() }),
  output: z.object({ text: z.string() }),
  run: async ({ input: { name } }) => ({ text: `Hello, ${name}.` }),
});

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe.each<[scheme: string, cookie: object, create: () => Promise<Server>]>([
  ["http", { name: "jobwire+tools+jobs", secure: false }, async () => createServer()],
  [
    "https",
    { name: "__Host-jobwire+tools+jobs", secure: true },
    async () => createSecureServer(await createPair()),
  ],
])("over %s", (scheme, cookie, create) => {
  let data: TestData;
  let provider: TestProvider;
  let server: Server;
  let close: () => Promise<unknown>;
  let url: string;
  /** Addresses that the program was asked for: none of Jobwire's page leads out of its path. */
  let strayed: string[];
  let opened: TestPage;
  let page: Page;

  beforeAll(async () => {
    data = await newTestData();
    const port = await freePort();
    const origin = `${scheme}://localhost:${port}`;
    url = origin + BASE;
    strayed = [];
    provider = await startOidcProvider([url]);
    server = await create();
    server.on("request", (req, res) => {
      strayed.push(String(req.url));
      res.end("The program's own page.");
    });
    const env = { ...data.env, LOG_LEVEL: "silent", ...provider.envFor(origin) };
    const jobwire = createJobwire({ kinds: [greeting], env });
    close = jobwire.close;
    await jobwire.attach(server, { basePath: BASE });
    server.listen(port, "localhost");
    await once(server, "listening");
  });
  afterAll(async () => {
    await close();
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
    await provider.stop();
    await data.remove();
  });
  beforeEach(async () => {
    opened = await openTestPage(browser, { ignoreHTTPSErrors: true });
    page = opened.page;
  });
  afterEach(() => opened.close());

  const account = (user: string) => page.getByRole("button", { name: `Account: ${user}` });
  const providerButton = () => page.getByRole("link", { name: "Sign in with Acme ID" });

  async function logIn(user: string, on = page): Promise<void> {
    await on.getByPlaceholder("Enter any login").fill(user);
    await on.getByPlaceholder("and password").fill("any");
    await on.getByRole("button", { name: "Sign-in" }).click();
  }

  test("[P11] [P18] a person signs in, is back where they were, watches a job, and signs out", async () => {
    await page.goto(`${url}/jobs/new?from=a%20link`);
    await providerButton().click();
    await logIn("ann");
    await account("ann").waitFor();
    expect(page.url()).toBe(`${url}/jobs/new?from=a%20link`);
    expect(await page.context().cookies(url)).toMatchObject([
      { ...cookie, path: "/", httpOnly: true, sameSite: "Lax" },
    ]);
    await page.locator("[data-connection=live]").waitFor();
    await page.getByLabel("name").fill("Bea");
    await page.getByRole("button", { name: "Create job" }).click();
    await headingBadge(page, "DELIVERED").waitFor();
    expect(page.url()).toMatch(new RegExp(`^${url}/jobs/[0-9a-f-]{36}$`));
    await page.getByText("Hello, Bea.").first().waitFor();
    const id = page.url().split("/").at(-1);
    await page.goto(`${url}/console?job=${id}`);
    const wire = (name: string) => page.getByRole("list", { name: `Frames of ${name}` });
    await wire("Socket.IO").getByText("job:completed").waitFor();
    await wire("tRPC").getByText("1 created").waitFor();
    await page.reload();
    await account("ann").click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await providerButton().waitFor();
    expect(await page.context().cookies(url)).toEqual([]);
    expect(strayed).toEqual([]);
  });

  test("[P18] a sign-in that ended is renewed in a window, and nothing that was typed is lost", async () => {
    await page.goto(`${url}/jobs/new`);
    await providerButton().click();
    await logIn("bob");
    await account("bob").waitFor();
    await page.getByLabel("name").fill("typed before the end");
    const status = await page.evaluate(async (address) => {
      const headers = { "content-type": "application/json" };
      return (await fetch(address, { method: "POST", headers, body: "{}" })).status;
    }, `${url}/auth/sign-out`);
    expect(status).toBe(200);
    await page.context().clearCookies({ domain: "127.0.0.1" });
    const dialog = page.getByRole("dialog", { name: "Sign in again" });
    await dialog.waitFor();
    const popup = page.waitForEvent("popup");
    await providerButton().click();
    const window = await popup;
    const closed = window.waitForEvent("close");
    await logIn("bob", window);
    await closed;
    await dialog.waitFor({ state: "detached" });
    expect(await page.getByLabel("name").inputValue()).toBe("typed before the end");
    expect(strayed).toEqual([]);
  });
});

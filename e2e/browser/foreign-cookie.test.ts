/** A real browser that is signed in, on pages of other origins that try to use its cookie. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { type RunningServer, startServer } from "#e2e/server.ts";
import { SECRET, tokenFor } from "#test/transports/signed-in.fixture.ts";
import { launchBrowser } from "./browser.ts";

let server: RunningServer;
let browser: Browser;
let foreignPort: number;
const foreign = createServer((_req, res) => {
  res.setHeader("Content-Type", "text/html").end("<!doctype html><title>Another page</title>");
});

beforeAll(async () => {
  server = await startServer({ env: { AUTH_JWT_SECRET: SECRET } });
  browser = await launchBrowser();
  await new Promise<void>((resolve) => foreign.listen(0, resolve));
  foreignPort = (foreign.address() as AddressInfo).port;
});
afterAll(async () => {
  await browser.close();
  await server.stop();
  foreign.close();
});

/** A page of the server on which this user is signed in. */
async function openSignedIn(user: string): Promise<Page> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(server.url);
  await page.getByLabel("API key or token").fill(await tokenFor(user));
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: /^Account/ }).waitFor();
  return page;
}

/** Runs in a page: the outcome of each way to reach the server with the cookie. */
async function tryAll(url: string): Promise<Record<string, string>> {
  const json = { "content-type": "application/json" };
  const create = JSON.stringify({
    json: {
      kind: "article",
      input: { publisherDomain: "a.example", targetUrl: "https://b.example", anchorText: "a" },
    },
  });
  const send = (path: string, init: RequestInit) =>
    fetch(url + path, { credentials: "include", ...init }).then(
      async (response) => (response.type === "opaque" ? "unreadable" : `${response.status}`),
      () => "unreadable",
    );
  const socket = (path: string) =>
    new Promise<string>((resolve) => {
      const opened = new WebSocket(url.replace("http", "ws") + path);
      opened.addEventListener("open", () => resolve("open"));
      opened.addEventListener("error", () => resolve("refused"));
    });
  const stream = (path: string) =>
    new Promise<string>((resolve) => {
      const source = new EventSource(url + path, { withCredentials: true });
      source.addEventListener("connected", () => resolve("open"));
      source.addEventListener("error", () => {
        source.close();
        resolve("refused");
      });
    });
  return {
    "fetch a list": await send("/trpc/job.list?input=%7B%22json%22%3A%7B%7D%7D", {}),
    "fetch who is signed in": await send("/auth/me", {}),
    "create a job": await send("/trpc/job.create", { method: "POST", headers: json, body: create }),
    "create a job as text": await send("/trpc/job.create", {
      method: "POST",
      mode: "no-cors",
      body: create,
    }),
    "open tRPC's WebSocket": await socket("/trpc"),
    "open Socket.IO's WebSocket": await socket("/socket.io/?EIO=4&transport=websocket"),
    "open a stream": await stream("/trpc/system.onState"),
    "sign out": await send("/auth/sign-out", { method: "POST", mode: "no-cors" }),
  };
}

async function submitForm(page: Page, action: string): Promise<number> {
  const answered = page.waitForResponse(action);
  await page.evaluate((address) => {
    const form = document.createElement("form");
    Object.assign(form, { method: "POST", action: address, enctype: "text/plain" });
    document.body.append(form);
    form.submit();
  }, action);
  const status = (await answered).status();
  await page.waitForURL(action);
  return status;
}

// To another port of the same host a browser sends the cookie: `SameSite` ignores ports.
test.each([
  ["of the same site, to which the browser sends the cookie", "localhost", true],
  ["of another site", "127.0.0.1", false],
])("[P11] a page %s cannot use the cookie in any way", async (_what, host, isSent) => {
  const own = await openSignedIn(`ann at ${host}`);
  const page = await own.context().newPage();
  // Only the network log has the cookies of requests that the page may not read.
  const network = await own.context().newCDPSession(page);
  let sent = 0;
  network.on("Network.requestWillBeSentExtraInfo", ({ headers }) => {
    if (headers.Cookie?.includes("jobwire=") === true) sent += 1;
  });
  await network.send("Network.enable");
  await page.goto(`http://${host}:${foreignPort}/`);
  expect(await page.evaluate(tryAll, server.url)).toEqual({
    "fetch a list": "unreadable",
    "fetch who is signed in": "unreadable",
    "create a job": "unreadable",
    "create a job as text": "unreadable",
    "open tRPC's WebSocket": "refused",
    "open Socket.IO's WebSocket": "refused",
    "open a stream": "refused",
    "sign out": "unreadable",
  });
  await vi.waitFor(() => expect(sent > 0).toBe(isSent));
  for (const path of ["/auth/sign-out", "/auth/sign-in", "/trpc/job.create"]) {
    await page.goto(`http://${host}:${foreignPort}/`);
    expect(await submitForm(page, server.url + path)).toBe(403);
  }

  expect(sent > 0).toBe(isSent);

  // The person is still signed in, and no job was created. Our own page can do all of it.
  await own.reload();
  await own.getByText("No jobs yet").waitFor();
  expect(await own.evaluate(tryAll, server.url)).toEqual({
    "fetch a list": "200",
    "fetch who is signed in": "200",
    "create a job": "200",
    "create a job as text": "415",
    "open tRPC's WebSocket": "open",
    "open Socket.IO's WebSocket": "open",
    "open a stream": "open",
    "sign out": "200",
  });
});

test("[P11] with AUTH_COOKIE_SAMESITE=none a listed page of another site signs in for itself, and for no other site", async () => {
  const sites = ["127.0.0.1", "other.localhost"].map((host) => `http://${host}:${foreignPort}`);
  const [listed = "", alsoListed = ""] = sites;
  const open = await startServer({
    env: { AUTH_JWT_SECRET: SECRET, AUTH_COOKIE_SAMESITE: "none", CORS_ORIGINS: sites.join(",") },
  });
  const context = await browser.newContext();
  onTestFinished(async () => {
    await context.close();
    await open.stop();
  });
  const page = await context.newPage();
  const statusOf = (path: string, body?: object) =>
    page.evaluate(
      async ([address, sent]) => {
        const headers = { "content-type": "application/json" };
        const post = sent === undefined ? {} : { method: "POST", headers, body: sent };
        const init: RequestInit = { credentials: "include", ...post };
        return fetch(address, init).then(
          ({ status }) => status,
          () => "unreadable",
        );
      },
      [open.url + path, body && JSON.stringify(body)] as const,
    );
  await page.goto(listed);
  expect(await statusOf("/auth/sign-in", { token: await tokenFor("ann") })).toBe(200);
  expect(await statusOf("/auth/me")).toBe(200);
  const [cookie] = await context.cookies();
  expect(cookie).toMatchObject({ name: "jobwire", sameSite: "None", secure: true, httpOnly: true });

  await page.goto(alsoListed);
  expect(await statusOf("/auth/me")).toBe(401);
  await page.goto(`http://unlisted.localhost:${foreignPort}`);
  expect(await statusOf("/auth/me")).toBe("unreadable");
  await page.goto(listed);
  expect(await statusOf("/auth/sign-out", {})).toBe(200);
  expect(await statusOf("/auth/me")).toBe(401);
});

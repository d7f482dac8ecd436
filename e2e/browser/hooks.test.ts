/** The React hooks in a real browser: rendered by a server, taken over in strict mode, live, and left. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { dehydrate, QueryClient } from "@tanstack/react-query";
import type { Browser, Page } from "playwright-core";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import superjson from "superjson";
import { build, type Rolldown } from "vite";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { createJobwireClient } from "#client/lib/client.ts";
import { batchOptions, jobOptions } from "#client/lib/react.tsx";
import { defineKind, type KindMapOf } from "#server/kinds/define.ts";
import type { ServerTypes } from "#shared/kind-types.ts";
import { ownerOf } from "#shared/principal.ts";
import { me } from "#test/jobs/acting.ts";
import { openTestPage } from "#test/browser/page.fixture.ts";
import { openTestServer } from "#test/transports/trpc.fixture.ts";
import { launchBrowser } from "./browser.ts";
import { HooksApp, type Shown } from "./hooks-app.tsx";

const ENTRY = fileURLToPath(new URL("hooks-entry.ts", import.meta.url));

/** Each letter waits for the test. */
let gate: PromiseWithResolvers<void>;

const letters = defineKind({
  name: "letters",
  input: z.object({ to: z.string() }),
  details: z.object({ written: z.int() }),
  output: z.object({ written: z.int() }),
  title: ({ to }) => `To ${to}`,
  async run({ input, draft, progress }) {
    await draft(`Dear ${input.to}. `);
    await progress(50, "Half way", { written: 1 });
    await gate.promise;
    await draft("Goodbye.");
    return { written: 2 };
  },
});
type App = ServerTypes<KindMapOf<[typeof letters]>>;

let browser: Browser;
/** With React's development build, which reports what a server rendered differently. */
let script: string;

beforeAll(async () => {
  const { output } = (await build({
    configFile: false,
    logLevel: "error",
    mode: "development",
    define: { "process.env.NODE_ENV": '"development"' },
    build: { write: false, minify: false, rolldownOptions: { input: ENTRY } },
  })) as Rolldown.RolldownOutput;
  script = output.map((part) => (part.type === "chunk" ? part.code : "")).join("\n");
  browser = await launchBrowser();
});
afterAll(() => browser.close());
beforeEach(() => {
  gate = Promise.withResolvers();
});

/** Subscriptions that the page has open, by their procedures. */
function subscriptionsOf(page: Page): { open(): string[]; opened: string[] } {
  const open = new Map<unknown, string>();
  const opened: string[] = [];
  page.on("websocket", (socket) => {
    socket.on("framesent", ({ payload }) => {
      if (!String(payload).startsWith("{") && !String(payload).startsWith("[")) return;
      const messages = [JSON.parse(String(payload)) as unknown].flat();
      for (const { id, method, params } of messages as {
        id: unknown;
        method: string;
        params?: { path: string };
      }[]) {
        if (method === "subscription" && params !== undefined) {
          open.set(id, params.path);
          opened.push(params.path);
        } else if (method === "subscription.stop") open.delete(id);
      }
    });
  });
  return { open: () => [...open.values()].toSorted(), opened };
}

/** The app's own server, on another origin than Jobwire. */
async function openPages() {
  let html = "";
  const server = createServer((req, res) => {
    const isScript = req.url === "/app.js";
    res.setHeader("Content-Type", isScript ? "text/javascript" : "text/html; charset=utf-8");
    res.end(isScript ? script : html);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    show: (page: string) => (html = page),
  };
}

type Fixture = Awaited<ReturnType<typeof openTestServer>>["fixture"];

/** `ofOther`: gives the id of another job to show than the one that is read before the page is rendered. */
async function openApp(ofOther?: (fixture: Fixture) => Promise<string>) {
  const pages = await openPages();
  const server = await openTestServer({ kinds: [letters], origins: [pages.url] });
  const shownId = await ofOther?.(server.fixture);
  const client = createJobwireClient<App>({ url: server.url });
  onTestFinished(() => client.close());
  const { id } = await client.kinds.letters.create({ to: "Ann" });
  const other = await client.trpc.job.create.mutate({ kind: "letters", input: { to: "Bob" } });
  const batch = await client.kinds.letters.createMany([{ to: "Cy" }]);
  const cache = new QueryClient();
  const shown: Shown = { id: shownId ?? id, otherId: other.id, batchId: batch.id };
  if (shownId === undefined) await cache.prefetchQuery(jobOptions(client.kinds.letters, id));
  await cache.prefetchQuery(batchOptions(client, batch.id));
  const html = renderToString(createElement(HooksApp, { ...shown, url: server.url, cache }));
  const state = JSON.stringify({
    url: server.url,
    shown,
    state: superjson.stringify(dehydrate(cache)),
  });
  pages.show(`<!doctype html><title>Letters</title><link rel="icon" href="data:,">
    <div id="root">${html}</div>
    <script type="application/json" id="state">${state.replaceAll("<", "\\u003c")}</script>
    <script type="module" src="/app.js"></script>`);

  const { page, close } = await openTestPage(browser);
  onTestFinished(close);
  const warnings: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") warnings.push(message.text());
  });
  const subscriptions = subscriptionsOf(page);
  const shows = async (name: string): Promise<unknown> =>
    JSON.parse((await page.getByTestId(name).textContent()) ?? "null") as unknown;
  await page.goto(pages.url);
  return { ...server, client, page, html, warnings, subscriptions, shows, id };
}

const HALF_WAY = { state: "PROCESSING", written: 1, events: [1, 2, 3], draft: "Dear Ann. " };

test("the page of a server is taken over in strict mode, shows every event once, and leaves nothing open", async () => {
  const { page, html, warnings, subscriptions, shows, fixture, watches } = await openApp();
  expect(html).toContain("PENDING");
  expect(html).toContain("connecting");
  fixture.startRunner();
  for (const name of ["first", "second"]) {
    await vi.waitFor(async () =>
      expect(await shows(name)).toMatchObject({ ...HALF_WAY, status: "success" }),
    );
  }
  await vi.waitFor(async () =>
    expect(await shows("lists")).toEqual({
      job: "To Bob",
      batch: 1,
      letters: 3,
      inBatch: 1,
      none: "pending",
    }),
  );
  expect(await page.getByTestId("connection").textContent()).toBe("live");
  const ONE_OF_EACH = [
    "batch.onUpdate",
    "feed.onUpdate",
    "feed.onUpdate",
    "job.onOutput",
    "job.onUpdate",
    "kinds.letters.onUpdate",
    "system.onState",
  ];
  await vi.waitFor(() => expect(subscriptions.open()).toEqual(ONE_OF_EACH));

  // Events that arrive while the component is not shown are there when it is shown again.
  await page.getByRole("button", { name: "Hide" }).click();
  await vi.waitFor(() => expect(subscriptions.open()).toEqual(["system.onState"]));
  await vi.waitFor(() => expect(watches()).toBe(0));
  gate.resolve();
  await page.getByRole("button", { name: "Show" }).click();
  for (const name of ["first", "second"]) {
    await vi.waitFor(async () =>
      expect(await shows(name)).toEqual({
        status: "success",
        state: "DELIVERED",
        written: 1,
        output: 2,
        events: [1, 2, 3, 4],
        draft: "Dear Ann. Goodbye.",
      }),
    );
  }
  // The server ends the stream of the draft of a job that has settled.
  const stillOpen = ONE_OF_EACH.filter((path) => path !== "job.onOutput");
  await vi.waitFor(() => expect(subscriptions.open()).toEqual(stillOpen));
  expect(warnings).toEqual([]);
});

test("a job that there is not is one error, once", async () => {
  const missing = "01a20665-8cab-704e-9437-209e0533c3ad";
  const { subscriptions, shows } = await openApp(async () => missing);
  await vi.waitFor(async () =>
    expect(await shows("first")).toEqual({
      status: "error",
      code: "NOT_FOUND",
      events: [],
      draft: "",
    }),
  );
  await vi.waitFor(() => expect(subscriptions.open()).toContain("job.onUpdate"));
  // Strict mode opens each twice, and closes one of them.
  const opened = subscriptions.opened.filter((path) => path === "kinds.letters.onUpdate");
  expect(opened.length).toBeLessThanOrEqual(2);
});

const eve = { ...me, userId: "eve" };

test("a job that was not found is live as soon as it is read again", async () => {
  const { fixture, page, shows } = await openApp(
    async ({ jobs }) => (await jobs.create(eve, { kind: "letters", input: { to: "Eve" } })).id,
  );
  await vi.waitFor(async () => expect(await shows("first")).toMatchObject({ code: "NOT_FOUND" }));
  await vi.waitFor(async () => expect(await shows("second")).toMatchObject({ code: "NOT_FOUND" }));
  await fixture.engine.assign(ownerOf(eve), ownerOf(me), 9);
  await vi.waitFor(async () => {
    // TanStack Query then reads again what is shown, unless it is being read.
    await page.evaluate(() => window.dispatchEvent(new Event("visibilitychange")));
    expect(await shows("first")).toMatchObject({ status: "success", state: "PENDING" });
  });
  fixture.startRunner();
  for (const name of ["first", "second"]) {
    await vi.waitFor(async () =>
      expect(await shows(name)).toMatchObject({
        ...HALF_WAY,
        draft: "Dear Eve. ",
        status: "success",
      }),
    );
  }
  gate.resolve();
  await vi.waitFor(async () => expect(await shows("first")).toMatchObject({ output: 2 }));
});

test("a job whose answer was lost is created once: each further attempt has the same key", async () => {
  const { page, client } = await openApp();
  let attempts = 0;
  await page.route("**/trpc/kinds.letters.create?**", async (route) => {
    attempts += 1;
    const answer = await route.fetch();
    // The automatic attempts all fail: four, then a second click.
    if (attempts <= 4) return route.abort();
    return route.fulfill({ response: answer });
  });
  const create = page.getByRole("button", { name: "Create" });
  await create.click();
  await vi.waitFor(() => expect(attempts).toBe(4));
  await create.click();
  await page.getByRole("button", { name: "Created" }).waitFor();
  const first = await page.getByRole("button", { name: "Created" }).textContent();
  const { items } = await client.kinds.letters.list();
  expect(items).toHaveLength(4);
  // "Zoe"
  expect(items[0]).toMatchObject({ priority: 3, scheduleId: null });

  // The same input once more is another job.
  await page.getByRole("button", { name: "Created" }).click();
  await vi.waitFor(async () =>
    expect(await page.getByRole("button", { name: "Created" }).textContent()).not.toBe(first),
  );
  expect((await client.kinds.letters.list()).items).toHaveLength(5);
});

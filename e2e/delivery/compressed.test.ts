/** Clients that no npm package is: they must decode what the server compresses. `compressed-frames.test.ts` has the others. */
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { launchBrowser } from "#e2e/browser/browser.ts";
import { runPython } from "#e2e/legacy/python.ts";
import {
  type Listener,
  newPeer,
  openStoryServer,
  PEERS,
  story,
  type StoryServer,
  tell,
} from "#test/transports/compressed-stories.ts";
import { timesOf } from "#test/long-run.ts";

const AIOHTTP = fileURLToPath(new URL("compressed_client.py", import.meta.url));

let server: StoryServer;
let browser: Browser;
beforeAll(async () => {
  server = await openStoryServer();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  server.close();
});

/** Writes what such stories send, and returns what each listener should have received. */
async function tellMany(listeners: readonly Listener[]): Promise<string[][]> {
  const expected: string[][] = listeners.map(() => []);
  const others = PEERS.slice(listeners.length).map(newPeer);
  for (const told of fc.sample(story, timesOf(60, 1000))) {
    await tell([...listeners.map(({ peer }) => peer), ...others], told);
    for (const [n, { peer, wire }] of listeners.entries()) {
      const taken = peer.taken();
      peer.sent.length = 0;
      wire.write(taken.bytes);
      expected[n]?.push(...taken.expected);
    }
  }
  return expected;
}

test("[Z1] [Z4] Chromium and aiohttp decode every frame, and Chromium's own compressed messages arrive", async () => {
  const page = await browser.newPage();
  const inChromium = await server.listener(() => {
    void page.evaluate((url) => {
      const shown = window as unknown as { ws: WebSocket; received: string[] };
      shown.received = [];
      shown.ws = new WebSocket(url);
      shown.ws.addEventListener("message", ({ data }) => shown.received.push(String(data)));
    }, server.url);
  });
  const aiohttp = runPython(inject("python"), [AIOHTTP, server.url]);
  const inPython = await server.listener(() => {});
  const [first = [], second = []] = await tellMany([inChromium, inPython]);
  expect(first.length).toBeGreaterThan(100);
  const received = () =>
    page.evaluate(() => (window as unknown as { received: string[] }).received);
  await vi.waitFor(async () => expect((await received()).length).toBe(first.length));
  expect(await received()).toEqual(first);
  await vi.waitFor(() => expect(aiohttp.lines.length).toBe(second.length));
  expect(aiohttp.lines.map((line) => JSON.parse(line) as string)).toEqual(second);
  expect(aiohttp.stderr()).toBe("");
  await aiohttp.end();
});

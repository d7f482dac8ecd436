/** [S7] The cost of a WebSocket client that sends requests and does not read. */
import { once } from "node:events";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { eventually, reportMuch } from "#test/jobs/jobs.fixture.ts";
import { openTestServer } from "#test/transports/trpc.fixture.ts";

const KIB = 1024;
const MARK = 256 * KIB;
/** The high-water mark, plus the answers under way when it was reached, plus a frame. */
const BOUND = 2 * MARK;

async function openClient(url: string): Promise<{ ws: WebSocket; frames: string[] }> {
  // All that it sends is so much alike that, compressed, it would be refused for how much it grows.
  const ws = new WebSocket(`${url.replace("http", "ws")}/trpc`, { perMessageDeflate: false });
  onTestFinished(() => ws.terminate());
  const frames: string[] = [];
  ws.on("message", (data: Buffer) => frames.push(data.toString()));
  await once(ws, "open");
  return { ws, frames };
}

const query = (id: number) =>
  JSON.stringify({ id, method: "query", params: { path: "kind.list", input: {} } });

/** Tracks the most bytes that waited in a socket of the server, from now on. */
function watchMost(sockets: readonly Duplex[]): { bytes: number } {
  const most = { bytes: 0 };
  const timer = setInterval(() => {
    most.bytes = Math.max(most.bytes, ...sockets.map(({ writableLength }) => writableLength));
  }, 1);
  onTestFinished(() => clearInterval(timer));
  return most;
}

test.each<[string, number, (n: number) => string]>([
  ["queries", 60_000, query],
  ["batches of queries", 1500, (n) => `[${Array(300).fill(query(n)).join(",")}]`],
])(
  "[S7] the server stops reading from a client that pipelines %s and reads nothing",
  async (_name, count, text) => {
    const { url, sockets } = await openTestServer();
    const { ws } = await openClient(url);
    const most = watchMost(sockets);
    ws.pause();
    for (let n = 0; n < count; n++) ws.send(text(n));
    const theirs = sockets.at(-1) as Duplex;
    await eventually(() => expect(theirs.isPaused()).toBe(true));
    // Other clients do not wait for it.
    const other = await openClient(url);
    other.ws.send(query(1));
    await eventually(() => expect(other.frames).toHaveLength(1));
    expect(most.bytes).toBeLessThan(BOUND);
  },
  30_000,
);

test("[S7] a client that pipelines PINGs and reads nothing costs no more either", async () => {
  const { url, sockets } = await openTestServer();
  const { ws } = await openClient(url);
  const most = watchMost(sockets);
  ws.pause();
  for (let n = 0; n < 150_000; n++) ws.send("PING");
  await eventually(() => expect((sockets.at(-1) as Socket).bytesRead).toBeGreaterThan(1_000_000));
  expect(most.bytes).toBeLessThan(BOUND);
});

test("[S7] every query of a client that reads late gets one answer", async () => {
  const { url, sockets } = await openTestServer();
  const { ws, frames } = await openClient(url);
  ws.pause();
  for (let n = 0; n < 20_000; n++) ws.send(query(n));
  await eventually(() => expect(sockets.at(-1)?.isPaused()).toBe(true));
  expect(frames).toEqual([]);
  ws.resume();
  await eventually(() => expect(frames).toHaveLength(20_000));
  const ids = frames.map((frame) => (JSON.parse(frame) as { id: number }).id);
  expect(new Set(ids).size).toBe(20_000);
});

test("[S7] a stalled client is closed, and receives the reason when it reads", async () => {
  const { url, fixture, sockets, watches } = await openTestServer({
    backpressure: { highWaterBytes: 64 * KIB, stallTimeoutMs: 100 },
  });
  const jobId = await fixture.create();
  const { ws } = await openClient(url);
  const params = { path: "job.onUpdate", input: { json: { jobId } } };
  ws.send(JSON.stringify({ id: 1, method: "subscription", params }));
  await eventually(() => expect(watches()).toBe(1));
  ws.pause();
  fixture.run = async ({ progress }) => {
    await reportMuch(progress, 12_000);
    return new Promise(() => {});
  };
  fixture.startRunner();
  await eventually(() => expect(watches()).toBe(0));
  const closed = once(ws, "close") as Promise<[code: number, reason: Buffer]>;
  ws.resume();
  const [code, reason] = await closed;
  expect([code, reason.toString()]).toEqual([1013, "Nothing was read for too long"]);
  expect(sockets.at(-1)?.destroyed).toBe(true);
});

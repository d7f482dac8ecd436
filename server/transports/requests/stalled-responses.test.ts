import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { closeStalledResponses } from "./stalled-responses.ts";
import { openRawServer } from "#test/transports/raw-server.fixture.ts";
import { unsentBytes } from "#server/transports/sockets/unsent-bytes.ts";

const STALL_MS = 60_000;
const MEGABYTE = Buffer.alloc(1024 * 1024, "x");
/** More than the kernel keeps for a client that does not read. */
const MEGABYTES = 32;

// The network is real; the tests advance the clock that the server reads.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "performance"] }));
afterEach(() => void vi.useRealTimers());

async function serve() {
  const stalled: Socket[] = [];
  const asked = new Map<string, Socket>();
  const raw = await openRawServer({}, (req, res) => {
    asked.set(req.url ?? "", req.socket);
    if (req.url === "/small") return void res.end("small");
    if (req.url === "/slow") return;
    if (req.url?.startsWith("/events")) {
      res.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
      return;
    }
    for (let count = 0; count < MEGABYTES; count++) res.write(MEGABYTE);
    res.end();
  });
  closeStalledResponses(raw.server, STALL_MS, (socket) => stalled.push(socket));

  /** Resolves to both ends of the connection once the server has the request. */
  async function ask(path: string): Promise<{ client: Socket; server: Socket }> {
    const client = raw.connect().pause();
    client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await vi.waitUntil(() => asked.has(path), { timeout: 120_000, interval: 2 });
    return { client, server: asked.get(path) as Socket };
  }
  return { ask, stalled };
}

/** Resolves when the kernel takes no more. */
async function untilFull(socket: Socket): Promise<void> {
  let before = -1;
  await vi.waitUntil(
    () => {
      const [last, unsent] = [before, unsentBytes(socket)];
      before = unsent;
      return unsent > 0 && unsent === last;
    },
    { timeout: 120_000, interval: 50 },
  );
}

test("[H3] a client that does not read its answer loses its connection, and the waiting bytes are freed", async () => {
  const { ask, stalled } = await serve();
  const { server } = await ask("/large");
  await untilFull(server);
  const closed = once(server, "close");
  vi.advanceTimersByTime(STALL_MS * 0.75);
  expect(stalled).toEqual([]);
  vi.advanceTimersByTime(STALL_MS * 0.5);
  expect(stalled).toEqual([server]);
  await closed;
  expect(server.writableLength).toBe(0);
});

test("silent event streams, slow procedures and kept-alive connections outlive many timeouts", async () => {
  const { ask, stalled } = await serve();
  const { client: kept } = await ask("/small");
  const others = [await ask("/events?1"), await ask("/events?2"), await ask("/slow")];
  vi.advanceTimersByTime(20 * STALL_MS);
  expect(stalled).toEqual([]);
  expect(others.map(({ server }) => server.destroyed)).toEqual([false, false, false]);
  const first = once(kept, "data");
  kept.resume();
  await first;
  const answered = once(kept, "data");
  kept.write("GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect(String(await answered)).toMatch(/small$/);
});

test("a client that reads slowly gets all of its answer", async () => {
  const { ask, stalled } = await serve();
  const { client, server } = await ask("/large");
  let bytes = 0;
  client.on("data", (chunk: Buffer) => (bytes += chunk.length)).pause();
  await untilFull(server);
  for (let turn = 0; turn < 5; turn++) {
    vi.advanceTimersByTime(STALL_MS * 0.75);
    const before = unsentBytes(server);
    client.resume();
    await vi.waitUntil(() => unsentBytes(server) < before, { timeout: 120_000, interval: 1 });
    client.pause();
  }
  client.resume();
  const whole = MEGABYTES * MEGABYTE.length;
  await vi.waitUntil(() => bytes > whole, { timeout: 120_000, interval: 2 });
  expect(stalled).toEqual([]);
});

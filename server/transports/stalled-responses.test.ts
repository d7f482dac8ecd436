import { once } from "node:events";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { closeStalledResponses } from "./stalled-responses.ts";
import { openRawServer } from "./test-raw-server.ts";

const STALL_MS = 200;
const MEGABYTE = Buffer.alloc(1024 * 1024, "x");

async function serve() {
  const stalled: Socket[] = [];
  const raw = await openRawServer({}, (req, res) => {
    if (req.url === "/small") return void res.end("small");
    if (req.url === "/events") {
      res.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
      return;
    }
    if (req.url === "/slow") return;
    // More than the kernel keeps for a client that does not read.
    for (let count = 0; count < 32; count++) res.write(MEGABYTE);
    res.end();
  });
  closeStalledResponses(raw.server, STALL_MS, (socket) => stalled.push(socket));

  function ask(path: string, options: { reads: boolean }): Socket {
    const socket = raw.connect();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    if (options.reads) socket.resume();
    else socket.pause();
    return socket;
  }
  /** Resolves when one more client was cut off, which takes the time-out at least. */
  async function untilStalled(): Promise<Socket> {
    const before = stalled.length;
    ask("/large", { reads: false });
    await expect.poll(() => stalled.length).toBeGreaterThan(before);
    return stalled[before] as Socket;
  }
  return { ...raw, ask, stalled, untilStalled };
}

test("[H3] a client that does not read its answer loses its connection, and what waited for it is gone", async () => {
  const { untilStalled, server } = await serve();
  const socket = await untilStalled();
  expect(socket.destroyed).toBe(true);
  if (!socket.closed) await once(socket, "close");
  await expect
    .poll(() => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))))
    .toBe(0);
});

test("silent event streams, slow procedures and kept connections outlive many time-outs", async () => {
  const { ask, stalled, untilStalled } = await serve();
  const kept = ask("/small", { reads: true });
  const others = [
    kept,
    ask("/events", { reads: true }),
    ask("/events", { reads: false }),
    ask("/slow", { reads: true }),
  ];
  for (let turn = 0; turn < 5; turn++) await untilStalled();
  expect(stalled).toHaveLength(5);
  expect(others.map(({ closed }) => closed)).toEqual([false, false, false, false]);
  const answered = once(kept, "data");
  kept.write("GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const [answer] = await answered;
  expect(String(answer)).toMatch(/small$/);
});

test("a client that reads slowly gets all of its answer", async () => {
  const { ask, stalled, untilStalled } = await serve();
  const slow = ask("/large", { reads: false });
  let bytes = 0;
  slow.on("data", (chunk: Buffer) => (bytes += chunk.length)).pause();
  // A megabyte at a time, so that the kernel takes more.
  const reading = setInterval(() => {
    const enough = bytes + MEGABYTE.length;
    const readOn = (): void => {
      if (bytes >= enough) slow.pause().off("data", readOn);
    };
    slow.on("data", readOn).resume();
  }, STALL_MS / 4);
  await Promise.all([untilStalled(), untilStalled()]);
  expect(slow.closed).toBe(false);
  clearInterval(reading);
  slow.removeAllListeners("data").on("data", (chunk: Buffer) => (bytes += chunk.length));
  slow.resume();
  await expect.poll(() => bytes).toBeGreaterThan(32 * MEGABYTE.length);
  expect(stalled).toHaveLength(2);
});

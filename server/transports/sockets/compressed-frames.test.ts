import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket as WsWebSocket } from "ws";
import { createInflater, framesIn } from "#test/transports/deflate-client.ts";
import { timesOf } from "#test/long-run.ts";
import type { Message } from "./chunks.ts";
import { createCompressedFrames } from "./compressed-frames.ts";
import { Compression } from "./compression.ts";
import { textFrame } from "./text-frame.ts";
import { BoundedWebSocketServer } from "./websocket-server.ts";

interface Entry {
  /** Without heads. */
  messages: readonly string[];
}

const framesOf = () =>
  createCompressedFrames(({ messages }: Entry) => messages.map((text) => Buffer.from(text)));

/** A client as the server sees it, and everything that it should receive. */
class Peer {
  readonly compression: Compression;
  /** By subscription. */
  readonly sent: (Message | undefined)[] = [];
  readonly expected: string[] = [];
  #bytes: Buffer[] = [];

  constructor(terms: { forgets?: boolean; windowBits?: number } = {}) {
    this.compression = new Compression({
      forgets: terms.forgets ?? false,
      windowBits: terms.windowBits,
    });
  }

  push(
    encode: ReturnType<typeof framesOf>,
    entries: readonly Entry[],
    { head, of }: { head: string; of: number },
  ): void {
    for (const chunk of encode(entries, head, this.compression, this.sent[of])) {
      expect(this.compression.accepts(chunk)).toBe(true);
      this.compression.sent(chunk);
      this.sent[of] = chunk.last;
      this.#bytes.push(Buffer.from(chunk.bytes));
    }
    for (const { messages } of entries) this.expected.push(...messages.map((each) => head + each));
  }

  pushPlain(text: string): void {
    this.#bytes.push(textFrame(text));
    this.expected.push(text);
  }

  /** What was sent since the last call. */
  taken(): { bytes: Buffer; expected: string[] } {
    const bytes = Buffer.concat(this.#bytes.splice(0));
    return { bytes, expected: this.expected.splice(0) };
  }
}

/** Texts as JSON has them: without NUL, often alike, of sizes around each limit. */
const word = fc.oneof(
  fc.constantFrom("Fetching page", '"status":"PROCESSING"', "ünïcödé 🎈", "x"),
  fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => text.replaceAll("\0", "0")),
);
const body = fc
  .tuple(fc.array(word, { minLength: 1, maxLength: 6 }), fc.constantFrom(1, 1, 1, 2, 8, 40, 1200))
  .map(([words, times]) => `{"at":"${words.join(" ").repeat(times)}"}`);
const entry = fc
  .array(body, { minLength: 1, maxLength: 2 })
  .map((messages): Entry => ({ messages }));

const PEERS = [
  {},
  {},
  { forgets: true },
  { windowBits: 8 },
  { windowBits: 9 },
  { windowBits: 12 },
  { windowBits: 15 },
];
const HEADS = ["", '{"id":1,', '{"id":23,', '{"id":"ß",', `{"id":"${"x".repeat(60)}",`];

/** `lists`: what the streams publish, in order. A watcher receives them from any place on, skips some, and may be cut off. */
const push = fc.record({
  peer: fc.nat(PEERS.length - 1),
  head: fc.constantFrom(...HEADS),
  of: fc.nat(2),
  list: fc.nat(9),
  from: fc.nat(2),
});
type Op =
  | { push: { peer: number; head: string; of: number; list: number; from: number } }
  | { all: number }
  | { plain: { peer: number; text: string } }
  | { tick: true };
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ push }) },
  { weight: 3, arbitrary: fc.record({ all: fc.nat(9) }) },
  {
    weight: 2,
    arbitrary: fc.record({ plain: fc.record({ peer: fc.nat(PEERS.length - 1), text: body }) }),
  },
  { weight: 2, arbitrary: fc.record({ tick: fc.constant(true as const) }) },
);
const story = fc.tuple(
  fc.array(fc.array(entry, { minLength: 1, maxLength: 4 }), { minLength: 10, maxLength: 10 }),
  fc.array(op, { maxLength: 40 }),
);

async function tell(
  peers: readonly Peer[],
  [lists, ops]: [readonly (readonly Entry[])[], readonly Op[]],
): Promise<void> {
  const encode = framesOf();
  for (const each of ops) {
    if ("tick" in each) await setImmediate();
    else if ("plain" in each) peers[each.plain.peer]?.pushPlain(each.plain.text);
    else if ("all" in each) {
      for (const peer of peers) {
        peer.push(encode, lists[each.all] ?? [], { head: HEADS[1] ?? "", of: 0 });
      }
    } else {
      const { peer, list, from, ...how } = each.push;
      // A list of its own, whose entries others have received too.
      peers[peer]?.push(encode, (lists[list] ?? []).slice(from), how);
    }
  }
}

/** Clients of other makers, each on a connection that lives for the whole test. */
interface Client {
  peer: Peer;
  wire: Socket;
  received: string[];
}
const clients: Client[] = [];
const server = createServer();
const closers: (() => void)[] = [];

beforeAll(async () => {
  const sockets = new BoundedWebSocketServer({ noServer: true, maxPayload: 1e6 }, true);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const open = async (connect: (received: string[]) => () => void) => {
    const received: string[] = [];
    const upgraded = once(server, "upgrade") as Promise<[IncomingMessage, Socket, Buffer]>;
    closers.push(connect(received));
    const [req, wire, head] = await upgraded;
    sockets.handleUpgrade(req, wire, head, (ws) => closers.push(() => ws.terminate()));
    clients.push({ peer: new Peer(), wire, received });
  };
  await open((received) => {
    const ws = new WsWebSocket(url);
    ws.on("message", (data: Buffer) => received.push(data.toString()));
    return () => ws.terminate();
  });
  // Node's own: undici.
  await open((received) => {
    const ws = new WebSocket(url);
    ws.addEventListener("message", ({ data }) => received.push(String(data)));
    return () => ws.close();
  });
});
afterAll(() => {
  for (const close of closers) close();
  server.close();
});

test("[Z1] every client decodes exactly what was sent, whatever came before it", async () => {
  await fc.assert(
    fc.asyncProperty(story, async (told) => {
      const peers = PEERS.map((terms) => new Peer(terms));
      await tell(peers, told);
      for (const [n, peer] of peers.entries()) {
        const { windowBits, forgets = false } = PEERS[n] ?? {};
        const { bytes, expected } = peer.taken();
        const { frames, rest } = framesIn(bytes);
        expect(rest).toHaveLength(0);
        const inflate = createInflater({ windowBits, takeover: !forgets });
        expect(frames.map(inflate)).toEqual(expected);
      }
    }),
    { numRuns: timesOf(60, 3000) },
  );
});

test("[Z1] `ws` and Node's own WebSocket decode every frame of such stories", async () => {
  await fc.assert(
    fc.asyncProperty(story, async (told) => {
      // The other places belong to clients that leave.
      const others = PEERS.slice(clients.length).map((terms) => new Peer(terms));
      await tell([...clients.map(({ peer }) => peer), ...others], told);
      for (const { peer, wire, received } of clients) {
        const { bytes, expected } = peer.taken();
        peer.sent.length = 0;
        if (bytes.length > 0) wire.write(bytes);
        await expect.poll(() => received.length, { interval: 1 }).toBe(expected.length);
        expect(received.splice(0)).toEqual(expected);
      }
    }),
    { numRuns: timesOf(30, 1000) },
  );
});

/** A progress event as tRPC sends it. */
const event = (n: number, job = "0199b1c5-7a3e-7bb2-8c41-3c5d2f6a1e77"): Entry => ({
  messages: [
    `"result":{"type":"data","data":{"json":{"id":"${n}","data":{"jobId":"${job}","seq":${n},"at":"2026-11-30T20:10:${10 + (n % 50)}.123Z","attempt":1,"type":"progress","status":"PROCESSING","progress":${n % 100},"message":"Fetching page ${n * 7} of many, which takes a moment"}},"meta":{"values":{"data.at":["Date"]},"v":1}},"id":"${n}"}}`,
  ],
});
const ONE = { head: '{"id":1,', of: 0 };
const sizeOf = (peer: Peer) => peer.taken().bytes.length;
const plainSize = (n: number) => textFrame(ONE.head + event(n).messages.join("")).length;

test("[Z1] an event takes a third of its bytes after the one before, and four fifths alone", async () => {
  const encode = framesOf();
  const [steady, late] = [new Peer(), new Peer()];
  for (let n = 1; n <= 20; n++) {
    const list = [event(n)];
    for (const peer of n % 5 === 0 ? [steady, late] : [steady]) peer.push(encode, list, ONE);
    await setImmediate();
    const size = sizeOf(steady) / plainSize(n);
    if (n > 1) expect(size).toBeLessThan(0.3);
    else expect(size).toBeLessThan(0.8);
    if (n % 5 !== 0) continue;
    // To this one another event was sent last.
    const alone = sizeOf(late) / plainSize(n);
    expect(alone).toBeGreaterThan(0.5);
    expect(alone).toBeLessThan(0.8);
  }
});

test("[Z1] what goes out uncompressed does not disturb the history, and another subscription does", async () => {
  const encode = framesOf();
  const peer = new Peer();
  const next = async (n: number, of = 0) => {
    peer.push(encode, [event(n)], { ...ONE, of });
    await setImmediate();
    return sizeOf(peer) / plainSize(n);
  };
  await next(1);
  peer.pushPlain('{"id":7,"result":{}}');
  peer.push(encode, [{ messages: ["{}"] }], ONE);
  peer.push(encode, [{ messages: ["x".repeat(70_000)] }], ONE);
  expect(sizeOf(peer)).toBeGreaterThan(70_000);
  expect(await next(2)).toBeLessThan(0.3);
  expect(await next(3, 1)).toBeGreaterThan(0.5);
  expect(await next(4)).toBeGreaterThan(0.5);
  expect(await next(5)).toBeLessThan(0.3);
});

test("watchers with the same history share the bytes, also those that came later", async () => {
  const encode = framesOf();
  const chunksFor = (peer: Peer, list: readonly Entry[]) =>
    encode(list, ONE.head, peer.compression, peer.sent[0]);
  const [first, second, later] = [new Peer(), new Peer(), new Peer()];
  const newest = event(1);
  const start = [newest];
  for (const peer of [first, second]) peer.push(encode, start, ONE);
  expect(chunksFor(first, start)).toBe(chunksFor(second, start));
  await setImmediate();
  // The same entry, in a list of its own.
  later.push(encode, [newest], ONE);
  await setImmediate();
  const list = [event(2), event(3)];
  const chunks = chunksFor(first, list);
  expect(chunks.map(({ count }) => count)).toEqual([2]);
  for (const peer of [second, later]) expect(chunksFor(peer, list)).toBe(chunks);
});

test("[Z4] bodies are kept while the next message can refer to them, and the oldest are forgotten beyond 4 MiB", async () => {
  const encode = framesOf();
  const peers = Array.from({ length: 80 }, () => new Peer());
  const long = "long text ".repeat(6000);
  for (const [n, peer] of peers.entries()) peer.push(encode, [{ messages: [n + long] }], ONE);
  await setImmediate();
  const kept = peers.map(({ sent: [message] }) => message?.body?.length ?? 0);
  expect(kept.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 0));
  expect(kept.slice(-60)).not.toContain(0);
  expect(kept.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(4 * 1024 * 1024);
  // One without its body is a history no more.
  const [oldest, newest] = [peers[0] as Peer, peers[79] as Peer];
  const before = newest.sent[0];
  for (const peer of [oldest, newest]) peer.push(encode, [{ messages: [`then ${long}`] }], ONE);
  for (const peer of [oldest, newest]) {
    const { bytes, expected } = peer.taken();
    expect(framesIn(bytes).frames.map(createInflater())).toEqual(expected);
  }
  await setImmediate();
  expect(before?.body).toBeUndefined();
  expect(newest.sent[0]?.body).toBeDefined();
});

test("[Z4] a body is deflated at most sixteen times with histories that differ", async () => {
  const encode = framesOf();
  const peers = Array.from({ length: 30 }, (_, n) => ({
    peer: new Peer(),
    head: `{"id":"${"x".repeat(n)}",`,
  }));
  const [start, next] = [[event(1)], [event(2)]];
  for (const { peer, head } of peers) peer.push(encode, start, { head, of: 0 });
  for (const { peer } of peers) peer.taken();
  await setImmediate();
  const sizes = peers.map(({ peer, head }) => {
    peer.push(encode, next, { head, of: 0 });
    return (sizeOf(peer) - head.length) / plainSize(2);
  });
  expect(sizes.filter((size) => size < 0.3)).toHaveLength(16);
  expect(sizes.every((size) => size < 0.8)).toBe(true);
});

import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket as WsWebSocket } from "ws";
import { createInflater, framesIn } from "#test/transports/deflate-client.ts";
import { timesOf } from "#test/long-run.ts";
import {
  createEntryFrames,
  type Entry,
  type Listener,
  newPeer,
  openStoryServer,
  Peer,
  PEERS,
  story,
  tell,
} from "#test/transports/compressed-stories.ts";
import { textFrame } from "./text-frame.ts";

/** Clients of other makers, each on a connection that lives for the whole file. */
const clients: (Listener & { received: string[] })[] = [];
const closers: (() => void)[] = [];

beforeAll(async () => {
  const server = await openStoryServer();
  const open = async (connect: (received: string[]) => () => void) => {
    const received: string[] = [];
    const listener = await server.listener(() => closers.push(connect(received)));
    clients.push({ ...listener, received });
  };
  await open((received) => {
    const ws = new WsWebSocket(server.url);
    ws.on("message", (data: Buffer) => received.push(data.toString()));
    return () => ws.terminate();
  });
  // Node's own: undici.
  await open((received) => {
    const ws = new WebSocket(server.url);
    ws.addEventListener("message", ({ data }) => received.push(String(data)));
    return () => ws.close();
  });
  closers.push(() => server.close());
});
afterAll(() => {
  for (const close of closers) close();
});

test("[Z1] every client decodes exactly what was sent, whatever came before it", async () => {
  await fc.assert(
    fc.asyncProperty(story, async (told) => {
      const peers = PEERS.map(newPeer);
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
      const others = PEERS.slice(clients.length).map(newPeer);
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

test("[Z1] an event takes a third of its bytes after an earlier one, and four fifths alone", async () => {
  const encode = createEntryFrames();
  const [steady, late, forgetful] = [new Peer(), new Peer(), newPeer({ forgets: true })];
  const [first, after, alone]: [number[], number[], number[]] = [[], [], []];
  for (let n = 1; n <= 20; n++) {
    const list = [event(n)];
    // The late one misses most, and refers to what it has.
    const peers = n % 5 === 1 ? [steady, forgetful, late] : [steady, forgetful];
    for (const peer of peers) peer.push(encode, list, ONE);
    await setImmediate();
    const sizes = peers.map((peer) => sizeOf(peer) / plainSize(n));
    const [ofSteady = 1, ofForgetful = 1, ofLate] = sizes;
    alone.push(ofForgetful);
    if (n === 1) first.push(...sizes);
    else after.push(ofSteady, ofLate ?? ofSteady);
  }
  expect(new Set(first).size).toBe(1);
  expect(Math.max(...after)).toBeLessThan(0.3);
  expect(Math.min(...alone)).toBeGreaterThan(0.5);
  expect(Math.max(...alone)).toBeLessThan(0.8);
});

test("[Z1] what goes out uncompressed does not disturb the history, and another subscription does", async () => {
  const encode = createEntryFrames();
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

test("[Z1] an entry whose bytes differ from tick to tick, as in a feed, is one history for each of them", async () => {
  const encode = createEntryFrames();
  const peers = [new Peer(), new Peer(), new Peer()];
  const changing = { messages: event(1).messages };
  // A watcher that lags receives the same entry in a later tick.
  for (const [n, peer] of peers.entries()) {
    changing.messages = event(100 + 111 * n).messages;
    peer.push(encode, [changing], ONE);
    await setImmediate();
  }
  const next = [event(100 + 111)];
  for (const peer of peers) {
    peer.push(encode, next, ONE);
    const { bytes, expected } = peer.taken();
    expect(framesIn(bytes).frames.map(createInflater())).toEqual(expected);
  }
});

test("watchers with the same history share the bytes, also those that came later", async () => {
  const encode = createEntryFrames();
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
  const encode = createEntryFrames();
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
  // When its last watcher has left, a body is gone.
  const last = newest.sent[0];
  last?.retain();
  last?.release();
  await setImmediate();
  expect(last?.body).toBeDefined();
  for (const peer of [oldest, newest]) peer.sent[0]?.release();
  await setImmediate();
  expect(last?.body).toBeUndefined();
});

test("[Z4] a body that could not be written is not kept", async () => {
  const encode = createEntryFrames();
  const peer = new Peer();
  const [chunk] = encode([event(1)], ONE.head, peer.compression, undefined);
  expect(chunk?.last?.body).toBeDefined();
  await setImmediate();
  expect(chunk?.last?.body).toBeUndefined();
});

test("[Z4] a body is deflated at most sixteen times with histories that differ", async () => {
  const encode = createEntryFrames();
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

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { unsentBytes } from "./unsent-bytes.ts";
import { openSocketWriters, type SocketWriters } from "./socket-writer.ts";

const MARK = 128 * 1024;
const STALL_MS = 60_000;
/** Bytes that the kernel buffers between two sockets of this machine. */
const MORE_THAN_FITS = Buffer.alloc(64 * 2 ** 20);

let writers: SocketWriters;
const closers: (() => void)[] = [];
beforeEach(() => {
  writers = openSocketWriters({ highWaterBytes: MARK, stallTimeoutMs: STALL_MS });
});
afterEach(() => {
  writers.close();
  for (const close of closers.splice(0)) close();
});

/** The two ends of a connection. The far end records the received bytes. */
async function pair(): Promise<{ near: Socket; far: Socket; arrived: () => Buffer }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const far = connect(port, "127.0.0.1");
  const [near] = (await once(server, "connection")) as [Socket];
  closers.push(() => {
    far.destroy();
    near.destroy();
    server.close();
  });
  const chunks: Buffer[] = [];
  far.on("data", (chunk: Buffer) => chunks.push(chunk));
  return { near, far, arrived: () => Buffer.concat(chunks) };
}

const hooks = () => ({ onDrain: vi.fn<() => void>(), onStall: vi.fn<() => void>() });
const bytes = (text: string) => Buffer.from(text);

test("the frames of one tick are one write, in order, and sockets with the same frames share its bytes", async () => {
  const pairs = await Promise.all([pair(), pair(), pair()]);
  const written = pairs.map(({ near }) => vi.spyOn(near, "write"));
  const [first, second, other] = pairs.map(({ near }) => writers.open(near, hooks()));
  const [one, two, three] = [bytes("one "), bytes("two "), bytes("three")];
  for (const frame of [one, two]) for (const writer of [first, second, other]) writer?.write(frame);
  other?.write(three);
  await vi.waitFor(() => {
    expect(pairs.map(({ arrived }) => arrived().toString())).toEqual([
      "one two ",
      "one two ",
      "one two three",
    ]);
  });
  const chunks = written.map(({ mock }) => mock.calls.map(([chunk]) => chunk));
  expect(chunks.map(({ length }) => length)).toEqual([1, 1, 1]);
  expect(chunks[0]?.[0]).toBe(chunks[1]?.[0]);
});

test("a direct write to the socket after `flush()` does not overtake earlier frames", async () => {
  const { near, arrived } = await pair();
  const writer = writers.open(near, hooks());
  writer.write(bytes("first "));
  writer.flush();
  near.write("second ");
  writer.write(bytes("third"));
  await vi.waitFor(() => expect(arrived().toString()).toBe("first second third"));
});

test("a full writer drains even if the kernel then takes everything at once", async () => {
  const { near } = await pair();
  const { onDrain, onStall } = hooks();
  const writer = writers.open(near, { onDrain, onStall });
  expect(writer.isFull()).toBe(false);
  writer.write(Buffer.alloc(MARK));
  expect(writer.isFull()).toBe(true);
  expect(onDrain).not.toHaveBeenCalled();
  await vi.waitFor(() => expect(onDrain).toHaveBeenCalledOnce());
  expect(writer.isFull()).toBe(false);
});

test("above the mark a writer is full until the client read everything", async () => {
  const { near, far } = await pair();
  far.pause();
  const { onDrain, onStall } = hooks();
  const writer = writers.open(near, { onDrain, onStall });
  const frame = Buffer.alloc(16 * 1024);
  // The kernel buffers megabytes before anything waits here.
  const fill = () => {
    while (!writer.isFull()) writer.write(frame);
    expect(near.writableLength).toBeGreaterThanOrEqual(MARK);
  };
  await vi.waitFor(fill, { interval: 1, timeout: 120_000 });
  expect(near.writableLength).toBeLessThan(MARK + frame.length);
  onDrain.mockClear();
  far.resume();
  await vi.waitFor(() => expect(onDrain).toHaveBeenCalledOnce());
  expect(near.writableLength).toBe(0);
});

test("a slow reader does not count as stalled, and a peer that reads nothing is reported once", async () => {
  const { near, far } = await pair();
  far.pause().removeAllListeners("data");
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  closers.push(() => vi.useRealTimers());
  const timed = openSocketWriters({ highWaterBytes: MARK, stallTimeoutMs: STALL_MS });
  const { onDrain, onStall } = hooks();
  timed.open(near, { onDrain, onStall }).write(MORE_THAN_FITS);
  await setImmediate();
  const sip = async () => {
    const before = unsentBytes(near);
    while (unsentBytes(near) === before) {
      far.read();
      await setImmediate();
    }
  };
  for (let round = 0; round < 8; round++) {
    await sip();
    vi.advanceTimersByTime(0.75 * STALL_MS);
    expect(onStall).not.toHaveBeenCalled();
  }
  expect(near.writableLength).toBe(MORE_THAN_FITS.length);
  vi.advanceTimersByTime(10 * STALL_MS);
  expect(onStall).toHaveBeenCalledOnce();
  expect(onDrain).not.toHaveBeenCalled();
  timed.close();
});

test("a released writer reports nothing more", async () => {
  const { near, far } = await pair();
  far.pause();
  const { onDrain, onStall } = hooks();
  const writer = writers.open(near, { onDrain, onStall });
  writer.write(MORE_THAN_FITS);
  await vi.waitFor(() => expect(near.writableLength).toBeGreaterThan(MARK));
  writer.release();
  far.resume();
  await vi.waitFor(() => expect(near.writableLength).toBe(0));
  expect([onDrain, onStall].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
});

test("[H3] a writer is full once others have filled the socket, and drains when it is empty", async () => {
  const { near, far } = await pair();
  const told = hooks();
  const writer = writers.open(near, told);
  far.pause();
  expect(writer.isFull()).toBe(false);
  near.write(MORE_THAN_FITS);
  expect(writer.isFull()).toBe(true);
  far.resume();
  await vi.waitFor(() => expect(told.onDrain).toHaveBeenCalledOnce(), { timeout: 120_000 });
  expect(writer.isFull()).toBe(false);
});

test("[H3] a socket that others have filled and that takes nothing is reported, and counted", async () => {
  const timed = openSocketWriters({ highWaterBytes: MARK, stallTimeoutMs: 40 });
  closers.push(() => timed.close());
  const { near, far } = await pair();
  const told = hooks();
  const writer = timed.open(near, told);
  far.pause();
  near.write(MORE_THAN_FITS);
  expect(writer.isFull()).toBe(true);
  expect(timed.count().full).toBe(1);
  await vi.waitFor(() => expect(told.onStall).toHaveBeenCalledOnce(), { timeout: 120_000 });
  expect(timed.count()).toEqual({ full: 0, stalled: 1 });
});

test("[H3] a caller that stops below the mark is notified of a stall, and of the drain once the kernel took everything", async () => {
  const timed = openSocketWriters({
    highWaterBytes: 2 * MORE_THAN_FITS.length,
    stallTimeoutMs: 40,
  });
  closers.push(() => timed.close());
  const { near, far } = await pair();
  const told = hooks();
  const writer = timed.open(near, told);
  far.pause();
  near.write(MORE_THAN_FITS);
  expect(writer.isFull()).toBe(false);
  writer.waitForDrain();
  await vi.waitFor(() => expect(told.onStall).toHaveBeenCalled(), { timeout: 120_000 });
  // On a busy machine the kernel may again take nothing for the whole timeout.
  told.onStall.mockImplementation(() => writer.waitForDrain());
  writer.waitForDrain();
  far.resume();
  await vi.waitFor(() => expect(told.onDrain).toHaveBeenCalled(), { timeout: 120_000 });
});

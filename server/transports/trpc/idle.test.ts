/** An idle subscription keeps no delivered value alive: values can be large, and subscriptions many. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { Entry, Stream } from "#server/streams/open.ts";
import { iterate } from "./iterate.ts";
import { Relay } from "./relay.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

interface Value {
  text: string;
}

/** Yields two values, each wrapped by `wrap`, and then is idle. */
function twoValues<W>(wrap: (value: Value, n: number) => W) {
  const refs: WeakRef<Value>[] = [];
  const asked = Promise.withResolvers<void>();
  const iterable = {
    [Symbol.asyncIterator]: (): AsyncIterator<W, void> => ({
      next() {
        if (refs.length === 2) {
          asked.resolve();
          return new Promise(() => {});
        }
        const value = { text: `value ${refs.length}` };
        refs.push(new WeakRef(value));
        return Promise.resolve({ done: false, value: wrap(value, refs.length) });
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
    }),
  };
  return {
    iterable,
    async keptWhileIdle() {
      await asked.promise;
      // A dereferenced WeakRef stays alive until the end of its tick.
      for (let round = 0; round < 5; round += 1) {
        collectGarbage();
        await nextTurn();
      }
      return refs.map((ref) => ref.deref()).filter((value) => value !== undefined);
    },
  };
}

const CONTEXT = {
  untilDrain: () => Promise.resolve(),
  assertCurrent: () => {},
  endForGood: () => {},
  sent: undefined,
};

test("an iterable of a subscription over WebSocket", async () => {
  const { iterable, keptWhileIdle } = twoValues((value) => value);
  const reader = new AbortController();
  const told: string[] = [];
  const over = iterate(iterable, {
    signal: reader.signal,
    abort: () => reader.abort(),
    untilDrain: () => Promise.resolve(),
    next: (value) => void told.push((value as Value).text),
    late() {},
  });
  expect(await keptWhileIdle()).toEqual([]);
  expect(told).toEqual(["value 0", "value 1"]);
  reader.abort();
  await over;
});

test("one of our streams as tRPC pulls it over SSE", async () => {
  const { iterable, keptWhileIdle } = twoValues((value, pos): Entry<Value> => ({ pos, value }));
  const stream = { ...iterable, pipe: () => expect.unreachable() } as Stream<Value>;
  const relay = new Relay(() => Promise.resolve(stream), CONTEXT);
  const entries = relay[Symbol.asyncIterator]();
  const told: string[] = [];
  const take = async () => {
    const { value } = await entries.next();
    if (value !== undefined) told.push(`${value[0]}: ${value[1].text}`);
  };
  await take();
  await take();
  void take();
  expect(await keptWhileIdle()).toEqual([]);
  expect(told).toEqual(["1: value 0", "2: value 1"]);
  expect(await entries.return?.()).toEqual({ done: true, value: undefined });
  expect(await entries.next()).toEqual({ done: true, value: undefined });
});

test("a stream that is abandoned before it has opened is closed", async () => {
  const opened = Promise.withResolvers<Stream<Value>>();
  let closed = 0;
  const stream = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: true, value: undefined }),
      return() {
        closed += 1;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
    pipe: () => expect.unreachable(),
  } as Stream<Value>;
  const relay = new Relay(() => opened.promise, CONTEXT);
  const entries = relay[Symbol.asyncIterator]();
  const next = entries.next();
  await entries.return?.();
  opened.resolve(stream);
  expect(await next).toEqual({ done: true, value: undefined });
  expect(closed).toBe(1);
});

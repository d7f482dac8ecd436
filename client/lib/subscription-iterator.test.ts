import { expect, test, vi } from "vitest";
import {
  type Handlers,
  MAX_WAITING_ENTRIES,
  SubscriptionIterator,
} from "./subscription-iterator.ts";

interface Opened {
  after: string | undefined;
  handlers: Handlers<number>;
  unsubscribe: ReturnType<typeof vi.fn>;
}

function setUp(options: { lastEventId?: string; signal?: AbortSignal } = {}) {
  const opened: Opened[] = [];
  const iterator = new SubscriptionIterator<number>((after, handlers) => {
    const unsubscribe = vi.fn<() => void>();
    opened.push({ after, handlers, unsubscribe });
    return { unsubscribe };
  }, options);
  const newest = () => {
    const last = opened.at(-1);
    if (last === undefined) throw new Error("Nothing is subscribed.");
    return last;
  };
  return {
    iterator,
    opened,
    newest,
    deliver: (n: number) => newest().handlers.onData({ id: `${n}`, data: n }),
  };
}

const entry = (value: number) => ({ done: false, value });
const DONE = { done: true, value: undefined };

test("the first read opens the subscription, after the given cursor", async () => {
  const { iterator, opened, deliver } = setUp({ lastEventId: "7" });
  expect(opened).toEqual([]);
  const first = iterator.next();
  expect(opened).toMatchObject([{ after: "7" }]);
  deliver(8);
  expect(await first).toEqual(entry(8));
  expect(opened).toHaveLength(1);
});

test("entries come in their order, whether readers or entries wait", async () => {
  const { iterator, deliver } = setUp();
  const readers = [iterator.next(), iterator.next()];
  for (const n of [1, 2, 3, 4]) deliver(n);
  expect(await Promise.all([...readers, iterator.next(), iterator.next()])).toEqual(
    [1, 2, 3, 4].map(entry),
  );
});

test("an end comes after the entries that wait", async () => {
  const { iterator, newest, deliver } = setUp();
  const first = iterator.next();
  for (const n of [1, 2]) deliver(n);
  newest().handlers.onComplete();
  expect(await first).toEqual(entry(1));
  expect(await iterator.next()).toEqual(entry(2));
  for (let n = 0; n < 2; n += 1) expect(await iterator.next()).toEqual(DONE);
});

test("an error comes after the entries that wait, once, and ends the iteration", async () => {
  const { iterator, newest, deliver } = setUp();
  const first = iterator.next();
  for (const n of [1, 2]) deliver(n);
  const error = new Error("lost");
  newest().handlers.onError(error);
  expect([await first, await iterator.next()]).toEqual([1, 2].map(entry));
  await expect(iterator.next()).rejects.toBe(error);
  expect(await iterator.next()).toEqual(DONE);
});

test("an error reaches one of several readers, and the others are at the end", async () => {
  const { iterator, newest } = setUp();
  const readers = [iterator.next(), iterator.next()];
  newest().handlers.onError(new Error("lost"));
  expect((await Promise.allSettled(readers)).map(({ status }) => status)).toEqual([
    "rejected",
    "fulfilled",
  ]);
});

test("a reader that falls behind closes the subscription, and reads on where it was", async () => {
  const { iterator, opened, newest, deliver } = setUp();
  const first = iterator.next();
  deliver(0);
  await first;
  for (let n = 1; n <= MAX_WAITING_ENTRIES; n += 1) deliver(n);
  const [closed] = opened;
  expect(closed?.unsubscribe).toHaveBeenCalledOnce();
  // The next subscription delivers again the entries that were on their way.
  closed?.handlers.onData({ id: "999", data: 999 });
  closed?.handlers.onComplete();
  for (let n = 1; n <= MAX_WAITING_ENTRIES; n += 1) expect(await iterator.next()).toEqual(entry(n));
  expect(opened).toHaveLength(1);
  const next = iterator.next();
  expect(newest()).toMatchObject({ after: `${MAX_WAITING_ENTRIES}` });
  deliver(MAX_WAITING_ENTRIES + 1);
  expect(await next).toEqual(entry(MAX_WAITING_ENTRIES + 1));
});

test("leaving the loop closes the subscription, also while a read waits", async () => {
  const { iterator, newest } = setUp();
  const waiting = iterator.next();
  expect(await iterator.return()).toEqual(DONE);
  expect(await waiting).toEqual(DONE);
  expect(newest().unsubscribe).toHaveBeenCalledOnce();
  newest().handlers.onData({ id: "1", data: 1 });
  expect(await iterator.next()).toEqual(DONE);
});

test("leaving before the first read opens nothing", async () => {
  const { iterator, opened } = setUp();
  await iterator.return();
  expect(await iterator.next()).toEqual(DONE);
  expect(opened).toEqual([]);
});

test("an aborted signal ends the iteration with its reason, before and while it is open", async () => {
  const reason = new Error("enough");
  const before = setUp({ signal: AbortSignal.abort(reason) });
  await expect(before.iterator.next()).rejects.toBe(reason);
  expect(before.opened).toEqual([]);
  const leave = new AbortController();
  const { iterator, newest } = setUp({ signal: leave.signal });
  const waiting = iterator.next();
  leave.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(newest().unsubscribe).toHaveBeenCalledOnce();
});

test("an iteration that is over no longer listens to its signal", async () => {
  const leave = new AbortController();
  const removed = vi.spyOn(leave.signal, "removeEventListener");
  const { iterator, newest } = setUp({ signal: leave.signal });
  const waiting = iterator.next();
  newest().handlers.onComplete();
  expect(await waiting).toEqual(DONE);
  expect(removed).toHaveBeenCalledOnce();
  leave.abort();
  expect(await iterator.next()).toEqual(DONE);
});

test("a subscription that ends while it is opened is closed", async () => {
  const unsubscribe = vi.fn<() => void>();
  const iterator = new SubscriptionIterator<number>((_after, handlers) => {
    handlers.onData({ id: "1", data: 1 });
    handlers.onComplete();
    return { unsubscribe };
  });
  expect(await iterator.next()).toEqual(entry(1));
  expect(await iterator.next()).toEqual(DONE);
  expect(unsubscribe).toHaveBeenCalledOnce();
});

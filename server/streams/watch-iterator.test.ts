import { expect, test, vi } from "vitest";
import { AppError } from "#shared/errors.ts";
import type { Sink } from "./sink.ts";
import { createWatchIterator } from "./watch-iterator.ts";

const entriesOf = (count: number, from = 1) =>
  Array.from({ length: count }, (_, index) => ({ pos: from + index, value: from + index }));

/** An iterator, the sink in it, and the calls of its watch. */
function open(signal?: AbortSignal) {
  const watch = { resume: vi.fn<() => void>(), stop: vi.fn<() => void>() };
  let sink: Sink<number> | undefined;
  const iterator = createWatchIterator<number>((given) => {
    sink = given;
    return watch;
  }, signal);
  return { iterator, watch, sink: sink as Sink<number> };
}

test("[S7] the buffer fills up to its high-water mark, and the watch resumes once it is empty", async () => {
  const { iterator, watch, sink } = open();
  expect(sink.push(entriesOf(60))).toBe(60);
  expect(sink.push(entriesOf(10, 61))).toBe(4);
  for (let pos = 1; pos < 64; pos++) expect((await iterator.next()).value).toMatchObject({ pos });
  expect(watch.resume).not.toHaveBeenCalled();
  expect((await iterator.next()).value).toMatchObject({ pos: 64 });
  expect(watch.resume).toHaveBeenCalledOnce();
});

test("a buffer that was filled to the mark and not beyond it asks for nothing", async () => {
  const { iterator, watch, sink } = open();
  expect(sink.push(entriesOf(64))).toBe(64);
  for (let pos = 1; pos <= 64; pos++) await iterator.next();
  expect(watch.resume).not.toHaveBeenCalled();
});

test("calls of next() that wait get the entries in their order, and then the end", async () => {
  const { iterator, sink } = open();
  const waiting = [iterator.next(), iterator.next(), iterator.next()];
  sink.push(entriesOf(2));
  sink.end();
  expect(await Promise.all(waiting)).toEqual([
    { done: false, value: { pos: 1, value: 1 } },
    { done: false, value: { pos: 2, value: 2 } },
    { done: true, value: undefined },
  ]);
});

test("entries before a failure are delivered, and then the failure is thrown", async () => {
  const { iterator, watch, sink } = open();
  expect(sink.push(entriesOf(65))).toBe(64);
  sink.end(new AppError("NOT_FOUND", "gone"));
  for (let pos = 1; pos <= 64; pos++) expect((await iterator.next()).value).toMatchObject({ pos });
  await expect(iterator.next()).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(watch.resume).not.toHaveBeenCalled();
});

test("a consumer that leaves stops the watch and drops the buffer, in each of three ways", async () => {
  const controller = new AbortController();
  const returned = open();
  const aborted = open(controller.signal);
  returned.sink.push(entriesOf(65));
  aborted.sink.push(entriesOf(3));
  await returned.iterator.return?.();
  controller.abort();
  const late = open(controller.signal);
  for (const { iterator, watch } of [returned, aborted, late]) {
    expect(watch.stop).toHaveBeenCalledOnce();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  }
});

/** The modes of a watch and of its tail, over a log whose reads and hints come when a test says so. */
import { expect, test, vi } from "vitest";
import type { Hint } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import type { JobEvent } from "#shared/events.ts";
import { createSink } from "#test/streams/streams.fixture.ts";
import type { Sink, WatchOptions } from "./sink.ts";
import type { Entry, Slice, Source } from "./source.ts";
import { openTail } from "./tail.ts";
import { openWatch } from "./watch.ts";

interface Value {
  text: string;
  gap?: true;
}

/** Lets everything happen that waits for nothing from outside. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** `count`: how many entries the log has at first. */
function openLog(count: number, foldBeyond = 64) {
  const log = {
    entries: [] as Entry<Value>[],
    settled: false,
    /** The error with which reads reject. */
    error: undefined as AppError | undefined,
    /** Reads from before `heldBelow` wait for it. */
    gate: Promise.resolve(),
    heldBelow: 0,
    reads: 0,
  };
  const listeners = new Set<(hint: Hint) => void>();
  const sliceOf = (entries: readonly Entry<Value>[]): Slice<Value> => ({
    entries,
    head: log.entries.length,
    ended: log.settled,
  });
  async function read(after: number, limit: number): Promise<Slice<Value>> {
    log.reads += 1;
    const slice = sliceOf(log.entries.slice(after, after + limit));
    if (after < log.heldBelow) await log.gate;
    if (log.error !== undefined) throw log.error;
    return slice;
  }
  const source: Source<Value> = {
    ref: { stream: "job", jobId: "log" },
    sharesEntries: true,
    foldBeyond,
    minIntervalMs: 0,
    read,
    current: () => read(Math.max(0, log.entries.length - 1), 1),
    fromHint: ({ event }) =>
      event && { ...sliceOf(log.entries.slice(event.seq - 1, event.seq)), head: event.seq },
    fold: (_older, newer) => newer,
    markGap: ({ entries }) =>
      entries.map(({ pos, value }) => ({ pos, value: { ...value, gap: true } })),
  };
  /** Without a hint. */
  function append(text = "entry"): void {
    log.entries.push({ pos: log.entries.length + 1, value: { text } });
  }
  /** Carries the newest entry, or nothing. */
  function hint(carries = true): void {
    const event = { seq: log.entries.length } as JobEvent;
    for (const listener of listeners) listener(carries ? { event } : {});
  }
  function truncate(length: number): void {
    log.entries.length = length;
    hint(false);
  }
  /** Reads from before `below` wait from now on; the result lets them go on. */
  function hold(below = Number.POSITIVE_INFINITY): () => void {
    const gate = Promise.withResolvers<void>();
    log.gate = gate.promise;
    log.heldBelow = below;
    return () => {
      log.heldBelow = 0;
      gate.resolve();
    };
  }
  for (let n = 0; n < count; n++) append();
  const tail = openTail(source, async (listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  });
  const closed = vi.fn<() => void>();
  const watch = (sink: Sink<Value>, options: Partial<WatchOptions> = {}) =>
    openWatch(tail, sink, { after: undefined, follow: false, ...options }, closed);
  return { log, tail, watch, closed, append, hint, truncate, hold, listeners };
}

const unavailable = () => new AppError("UNAVAILABLE", "The data cannot be read. Try again.");
const deleted = () => new AppError("NOT_FOUND", "The job does not exist.");

/** Positions, a gap as a negative one. */
const shown = ({ entries }: { entries: Entry<Value>[] }) =>
  entries.map(({ pos, value }) => (value.gap === true ? -pos : pos));

test("opening: a stream that cannot be opened ends its watches with the reason", async () => {
  const { log, watch, closed } = openLog(1);
  log.error = deleted();
  const sink = createSink<Value>();
  const handle = watch(sink.sink);
  await turn();
  expect(sink.state).toMatchObject({ ended: true, reason: "NOT_FOUND" });
  handle.stop();
  expect(closed).toHaveBeenCalledOnce();
});

test("opening: a watch that is stopped shows nothing, and its sink is not ended", async () => {
  const { watch, closed, tail } = openLog(1);
  const sink = createSink<Value>();
  const handle = watch(sink.sink);
  handle.stop();
  handle.resume();
  await turn();
  expect([shown(sink), sink.state.ended]).toEqual([[], false]);
  expect(closed).toHaveBeenCalledOnce();
  expect(tail.listeners.size).toBe(0);
});

test("opening: a tail that is closed while it opens takes no hints any more", async () => {
  const { tail, listeners } = openLog(1);
  tail.close();
  await tail.opened;
  expect(listeners.size).toBe(0);
});

test("opening: hints of the meantime are read once the tail is open", async () => {
  const { watch, append, hint, hold } = openLog(1);
  const release = hold();
  const sink = createSink<Value>();
  watch(sink.sink, { after: 1 });
  await turn();
  append();
  hint();
  release();
  await turn();
  expect(shown(sink)).toEqual([2]);
});

test("[S7] idle: resume() of a watch whose sink is not full reads nothing and shows nothing", async () => {
  const { log, watch } = openLog(1);
  const sink = createSink<Value>();
  const handle = watch(sink.sink);
  await turn();
  const { reads } = log;
  handle.resume();
  await turn();
  expect([shown(sink), log.reads]).toEqual([[1], reads]);
});

test.each([
  { foldBeyond: 64, count: 1, expected: [1, 2, 3] },
  // The tail wakes its watches at once, and not at the end of the tick.
  { foldBeyond: 0, count: 1, expected: [1, 2, 3] },
  { foldBeyond: 64, count: 64, expected: Array.from({ length: 66 }, (_, index) => index + 1) },
  { foldBeyond: 64, count: 70, expected: [1, 2, 72] },
])(
  "[S1] [S5] delivering: $count entries that come within push follow it, beyond $foldBeyond folded",
  async ({ foldBeyond, count, expected }) => {
    const { watch, append, hint } = openLog(1, foldBeyond);
    const sink = createSink<Value>();
    const push = sink.sink.push.bind(sink.sink);
    watch({
      ...sink.sink,
      push(entries) {
        const isSecond = entries.at(-1)?.pos === 2;
        for (let n = 0; isSecond && n < count; n++) {
          append();
          hint();
        }
        return push(entries);
      },
    });
    await turn();
    append();
    hint();
    await turn();
    expect(shown(sink)).toEqual(expected);
  },
);

test("delivering: a watch that is stopped within push ends there, and its sink is not ended", async () => {
  const { log, watch, append, hint, closed } = openLog(1);
  const sink = createSink<Value>();
  const push = sink.sink.push.bind(sink.sink);
  const handle = watch({
    ...sink.sink,
    push(entries) {
      if (entries[0]?.pos === 2) handle.stop();
      return push(entries);
    },
  });
  await turn();
  log.settled = true;
  append();
  hint();
  await turn();
  append();
  hint();
  await turn();
  expect([shown(sink), sink.state.ended]).toEqual([[1, 2], false]);
  expect(closed).toHaveBeenCalledOnce();
});

test("[S1] [S5] reading: a sink that fills up and drains at once is shown each entry once", async () => {
  const { watch } = openLog(600);
  const sink = createSink<Value>();
  const push = sink.sink.push.bind(sink.sink);
  const handle = watch(
    {
      ...sink.sink,
      push(entries) {
        sink.state.capacity = 7;
        // Before the read that offered the entries has returned.
        queueMicrotask(() => handle.resume());
        return push(entries);
      },
    },
    { after: 0 },
  );
  await vi.waitFor(() => expect(sink.seqs().at(-1)).toBe(600));
  expect(shown(sink)).toEqual(Array.from({ length: 600 }, (_, index) => index + 1));
});

test.each([undefined, unavailable()])(
  "reading: a watch that is stopped is shown nothing, whatever the read gives: %s",
  async (error) => {
    const { log, tail, watch, hold } = openLog(5);
    await tail.opened;
    await turn();
    const release = hold();
    const watches = [undefined, 0].map((after) => {
      const sink = createSink<Value>();
      return { sink, handle: watch(sink.sink, { after }) };
    });
    const before = log.reads;
    await turn();
    expect(log.reads).toBe(before + watches.length);
    for (const { handle } of watches) handle.stop();
    log.error = error;
    release();
    await turn();
    for (const { sink } of watches) expect([shown(sink), sink.state.ended]).toEqual([[], false]);
  },
);

test("[S1] [S5] reading and opening: resume() begins no other read", async () => {
  const { watch, hold, tail } = openLog(5);
  const release = hold();
  const sinks = [0, undefined].map((after) => {
    const sink = createSink<Value>();
    const handle = watch(sink.sink, { after });
    handle.resume();
    return { sink, handle };
  });
  await turn();
  expect(tail.head).toBe(0);
  release();
  // The read that opens the tail is over, and those of the watches wait.
  const releaseAgain = hold();
  await turn();
  expect([tail.head, sinks.map(({ sink }) => shown(sink))]).toEqual([5, [[], []]]);
  for (const { handle } of sinks) handle.resume();
  releaseAgain();
  await turn();
  expect(sinks.map(({ sink }) => shown(sink))).toEqual([[1, 2, 3, 4, 5], [5]]);
});

test("[S2] a replay of the whole log is folded once it has caught up and falls behind again", async () => {
  const { watch, append, hint, tail } = openLog(100);
  const sink = createSink<Value>();
  const handle = watch(sink.sink, { after: 0 });
  await turn();
  expect(sink.entries).toHaveLength(100);
  sink.state.capacity = 0;
  for (let n = 0; n < 100; n++) append();
  hint(false);
  await turn();
  sink.state.capacity = Number.POSITIVE_INFINITY;
  handle.resume();
  expect(shown(sink).slice(100)).toEqual([200]);
  expect(tail.counts).toEqual({ delivered: 101, folded: 99, paused: 1, gaps: 0 });
});

test("reading: a watch waits while the log is unavailable, and the next poll reads again", async () => {
  const { log, tail, watch } = openLog(5);
  await tail.opened;
  await turn();
  log.error = unavailable();
  const sinks = [undefined, 0].map((after) => {
    const sink = createSink<Value>();
    watch(sink.sink, { after });
    return sink;
  });
  await turn();
  tail.poll();
  await turn();
  expect(sinks.map(shown)).toEqual([[], []]);
  expect(sinks.map(({ state }) => state.ended)).toEqual([false, false]);
  log.error = undefined;
  tail.poll();
  await turn();
  expect(sinks.map(shown)).toEqual([[5], [1, 2, 3, 4, 5]]);
});

test("reading: any other error ends the watch with it", async () => {
  const { log, tail, watch, closed } = openLog(5);
  await tail.opened;
  await turn();
  log.error = deleted();
  const sink = createSink<Value>();
  watch(sink.sink);
  await turn();
  expect(sink.state).toMatchObject({ ended: true, reason: "NOT_FOUND" });
  expect(closed).toHaveBeenCalledOnce();
});

test.each([
  ["the current state", undefined, [3]],
  ["a replay", 0, [-3]],
])("[S8] reading: %s that the log was truncated under is not shown", async (_, after, expected) => {
  const { tail, watch, truncate, hold, log } = openLog(300);
  await tail.opened;
  await turn();
  const release = hold();
  const sink = createSink<Value>();
  watch(sink.sink, { after });
  await turn();
  log.gate = Promise.resolve();
  truncate(3);
  await turn();
  release();
  await turn();
  expect(shown(sink)).toEqual(expected);
});

test("[S8] reading: a replay whose log is truncated between two reads goes on with a gap", async () => {
  const { tail, watch, truncate, hold } = openLog(300);
  await tail.opened;
  await turn();
  const sink = createSink<Value>();
  const push = sink.sink.push.bind(sink.sink);
  let release: (() => void) | undefined;
  watch(
    {
      ...sink.sink,
      push(entries) {
        if (entries.length === 256) release = hold();
        return push(entries);
      },
    },
    { after: 0 },
  );
  await vi.waitFor(() => expect(sink.entries).toHaveLength(256));
  truncate(3);
  release?.();
  await turn();
  expect(shown(sink).slice(256)).toEqual([-3]);
});

/** A watch whose cursor is beyond what the tail knows, and confirmed by the log. */
async function openAhead() {
  const opened = openLog(1);
  const { tail, append, watch, hold, log } = opened;
  await tail.opened;
  await turn();
  append();
  const sink = createSink<Value>();
  // Reads of the tail wait, and that of the watch does not.
  const release = hold(2);
  const before = log.reads;
  watch(sink.sink, { after: 2, follow: true });
  await turn();
  expect([tail.head, shown(sink), log.reads]).toEqual([1, [], before + 2]);
  return { ...opened, sink, release, reads: () => log.reads };
}

test("[S1] ahead: the watch reads nothing, and goes on live once the tail has caught up", async () => {
  const { tail, sink, append, hint, release, reads } = await openAhead();
  const before = reads();
  tail.poll();
  await turn();
  expect(reads()).toBe(before);
  release();
  await turn();
  expect([tail.head, shown(sink)]).toEqual([2, []]);
  append();
  hint();
  await turn();
  expect(shown(sink)).toEqual([3]);
});

test("[S8] ahead: a truncated log is shown as a gap", async () => {
  const { log, sink, release, truncate } = await openAhead();
  log.entries[0] = { pos: 1, value: { text: "another" } };
  truncate(1);
  release();
  await turn();
  expect(shown(sink)).toEqual([-1]);
});

test("ahead: a deleted stream ends the watch", async () => {
  const { log, hint, sink, release, tail } = await openAhead();
  log.error = deleted();
  hint(false);
  release();
  await turn();
  tail.poll();
  await turn();
  expect(sink.state).toMatchObject({ ended: true, reason: "NOT_FOUND" });
});

/** A watch that was shown the first of the entries, and whose sink is full. */
async function openFull() {
  const opened = openLog(1);
  const sink = createSink<Value>();
  sink.state.capacity = 1;
  const handle = opened.watch(sink.sink);
  await turn();
  opened.append();
  opened.hint();
  await turn();
  expect(shown(sink)).toEqual([1]);
  const drain = (): void => {
    sink.state.capacity = Number.POSITIVE_INFINITY;
    handle.resume();
  };
  return { ...opened, sink, handle, drain };
}

test("[S7] full: the sink is offered nothing until it drains, then all that came meanwhile", async () => {
  const { sink, append, hint, tail, drain } = await openFull();
  const push = vi.spyOn(sink.sink, "push");
  append();
  hint();
  tail.poll();
  await turn();
  expect(push).not.toHaveBeenCalled();
  drain();
  expect(shown(sink)).toEqual([1, 2, 3]);
});

test("[S8] full: a log that is truncated meanwhile is shown as a gap when the sink drains", async () => {
  const { sink, truncate, drain, tail } = await openFull();
  truncate(1);
  await turn();
  expect(shown(sink)).toEqual([1]);
  drain();
  await turn();
  expect(shown(sink)).toEqual([1, -1]);
  expect(tail.counts).toEqual({ delivered: 2, folded: 0, paused: 1, gaps: 1 });
});

test("full: of a stream that is deleted meanwhile the sink gets the rest, and then the reason", async () => {
  const { log, sink, hint, drain, tail } = await openFull();
  log.error = deleted();
  hint(false);
  await turn();
  expect(sink.state.ended).toBe(false);
  // A failed tail reads no more.
  const { reads } = log;
  tail.poll();
  await turn();
  expect(log.reads).toBe(reads);
  drain();
  expect(shown(sink)).toEqual([1, 2]);
  expect(sink.state).toMatchObject({ ended: true, reason: "NOT_FOUND" });
});

test("full: a watch that is stopped does not resume", async () => {
  const { sink, handle, drain, tail, closed } = await openFull();
  handle.stop();
  drain();
  tail.poll();
  await turn();
  expect([shown(sink), sink.state.ended]).toEqual([[1], false]);
  expect(closed).toHaveBeenCalledOnce();
});

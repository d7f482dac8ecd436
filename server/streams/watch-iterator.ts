/**
 * A watch as an `AsyncIterable`, for whoever asks for one entry after the other (SSE, callers in this process).
 * It is a sink with room for a few entries; while they are not asked for, the watch is simply behind.
 */
import type { AppError } from "#shared/errors.ts";
import type { Entry } from "./source.ts";
import type { Sink, Watch } from "./watch.ts";

const ROOM = 64;

export function pull<T>(
  open: (sink: Sink<T>) => Watch,
  signal?: AbortSignal,
): AsyncIterableIterator<Entry<T>> {
  let buffer: Entry<T>[] = [];
  let refused = false;
  let over = false;
  let failure: AppError | undefined;
  /** Wakes whoever asked for more than there is. */
  const waiting = new Set<() => void>();

  const wake = () => {
    for (const resolve of waiting) resolve();
    waiting.clear();
  };
  const watch = open({
    push(entries) {
      const taken = entries.slice(0, ROOM - buffer.length);
      refused = taken.length < entries.length;
      buffer.push(...taken);
      wake();
      return taken.length;
    },
    end(reason) {
      signal?.removeEventListener("abort", leave);
      over = true;
      failure = reason;
      wake();
    },
  });

  const leave = () => {
    watch.stop();
    signal?.removeEventListener("abort", leave);
    over = true;
    buffer = [];
    wake();
  };
  if (signal?.aborted === true) leave();
  else signal?.addEventListener("abort", leave);

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      for (;;) {
        const entry = buffer.shift();
        if (entry !== undefined) {
          if (buffer.length === 0 && refused) {
            refused = false;
            watch.resume();
          }
          return { done: false, value: entry };
        }
        if (failure !== undefined) throw failure;
        if (over) return { done: true, value: undefined };
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
    async return() {
      leave();
      return { done: true, value: undefined };
    },
  };
}

/**
 * A watch as an `AsyncIterator`, for consumers that pull (SSE, callers in this process). It is a sink with a small buffer.
 *
 *              the buffer is at its high-water mark
 *   flowing ─────────────────────────────────────────► full
 *      ▲                                                │
 *      └────────── the consumer took the last ──────────┘
 *
 * The watch ends, or the consumer leaves: `ended`, from both modes. Entries in the buffer of a watch that ended by itself
 * are still delivered, then its reason.
 */
import type { AppError } from "#shared/errors.ts";
import type { Pipe } from "./deferred-pipe.ts";
import type { Entry } from "./source.ts";

/** Entries. */
const HIGH_WATER_MARK = 64;

type State =
  | { readonly mode: "flowing" | "full" }
  | { readonly mode: "ended"; readonly reason: AppError | undefined };

const FLOWING: State = { mode: "flowing" };
const FULL: State = { mode: "full" };

export function createWatchIterator<T>(
  pipe: Pipe<T>,
  signal?: AbortSignal,
): AsyncIterableIterator<Entry<T>> {
  let buffer: Entry<T>[] = [];
  let state = FLOWING;
  /** Calls of `next()` that found the buffer empty. */
  const waiting = new Set<() => void>();

  const wake = () => {
    for (const resolve of waiting) resolve();
    waiting.clear();
  };

  const end = (reason?: AppError) => {
    if (state.mode !== "ended") state = { mode: "ended", reason };
    signal?.removeEventListener("abort", leave);
    wake();
  };

  const watch = pipe({
    push(entries) {
      const taken = entries.slice(0, HIGH_WATER_MARK - buffer.length);
      if (taken.length < entries.length) state = FULL;
      buffer.push(...taken);
      wake();
      return taken.length;
    },
    end,
  });

  const leave = () => {
    watch.stop();
    buffer = [];
    end();
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
          if (buffer.length === 0 && state.mode === "full") {
            state = FLOWING;
            watch.resume();
          }
          return { done: false, value: entry };
        }
        if (state.mode === "ended") {
          if (state.reason !== undefined) throw state.reason;
          return { done: true, value: undefined };
        }
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
    async return() {
      leave();
      return { done: true, value: undefined };
    },
  };
}

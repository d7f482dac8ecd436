/**
 * The return value of our subscriptions. For tRPC it is an async iterable of entries with their cursors, so that the stock
 * client resumes by itself. SSE and callers in this process pull it; a WebSocket calls `open` and pushes entries.
 */
import { tracked, type TrackedEnvelope } from "@trpc/server";
import type { Entry, Stream } from "#server/streams/open.ts";
import { toTRPCError } from "./errors.ts";
import type { Context } from "./context.ts";

/** The pulling request. */
type Consumer = Pick<Context, "untilDrain" | "assertCurrent" | "endForGood" | "sent">;

export class Relay<T> implements AsyncIterable<TrackedEnvelope<T>, void, void> {
  /** Rejects as `Streams` does. Call it once. */
  readonly open: () => Promise<Stream<T>>;
  readonly #context: Consumer;

  constructor(open: () => Promise<Stream<T>>, context: Consumer) {
    this.open = open;
    this.#context = context;
  }

  /** Not a generator, which would keep its last value alive until the next one. */
  [Symbol.asyncIterator](): AsyncIterator<TrackedEnvelope<T>, void, void> {
    let entries: AsyncIterator<Entry<T>> | undefined;
    let over = false;

    const next = async (): Promise<IteratorResult<TrackedEnvelope<T>, void>> => {
      if (over) return DONE;
      if (entries !== undefined) await this.#context.untilDrain();
      entries ??= (await this.open())[Symbol.asyncIterator]();
      // The consumer called `return` while the stream was opening.
      if (over) await entries.return?.();
      const result = trackedOf(await entries.next());
      if (result.done === true) {
        this.#context.assertCurrent();
        this.#context.endForGood();
      } else if (this.#context.sent !== undefined) {
        this.#context.sent.entries += 1;
      }
      return result;
    };
    return {
      async next() {
        try {
          return await next();
        } catch (error) {
          over = true;
          throw toTRPCError(error);
        }
      },
      async return() {
        over = true;
        await entries?.return?.();
        return DONE;
      },
    };
  }
}

const DONE = { done: true, value: undefined } as const;

function trackedOf<T>(entry: IteratorResult<Entry<T>>): IteratorResult<TrackedEnvelope<T>, void> {
  if (entry.done === true) return DONE;
  const { pos, value } = entry.value;
  return { done: false, value: tracked<T>(String(pos), value) };
}

export function relay<T>(
  open: () => Promise<Stream<T>>,
  context: Consumer,
): AsyncIterable<TrackedEnvelope<T>, void, void> {
  return new Relay(open, context);
}

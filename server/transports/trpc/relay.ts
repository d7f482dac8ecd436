/**
 * What our subscriptions return. To tRPC it is an async iterable of entries with their cursors, so that the stock
 * client resumes by itself; SSE and callers in this process pull it. A WebSocket opens the stream inside and is
 * pushed.
 */
import { tracked, type TrackedEnvelope } from "@trpc/server";
import type { Stream } from "#server/streams/open.ts";
import { toTRPCError } from "./errors.ts";
import type { Context } from "./context.ts";

export class Relay<T> implements AsyncIterable<TrackedEnvelope<T>, void, void> {
  /** Rejects as `Streams` does. To be called once. */
  readonly open: () => Promise<Stream<T>>;
  readonly #context: Pick<Context, "drained">;

  constructor(open: () => Promise<Stream<T>>, context: Pick<Context, "drained">) {
    this.open = open;
    this.#context = context;
  }

  async *[Symbol.asyncIterator]() {
    try {
      for await (const { pos, value } of await this.open()) {
        yield tracked<T>(String(pos), value);
        await this.#context.drained();
      }
    } catch (error) {
      throw toTRPCError(error);
    }
  }
}

export function relay<T>(
  open: () => Promise<Stream<T>>,
  context: Pick<Context, "drained">,
): AsyncIterable<TrackedEnvelope<T>, void, void> {
  return new Relay(open, context);
}

/** The end of what a client has open when it is closed. */
import type { TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import type { ApiRouter } from "#shared/api.ts";

/** A client can be closed more than once: what is opened after one time lasts until the next. */
export class Closing {
  #next = new AbortController();

  /** Aborted, with the error for those who wait, when the client is closed the next time. */
  get signal(): AbortSignal {
    return this.#next.signal;
  }

  now(): void {
    const closed = this.#next;
    this.#next = new AbortController();
    closed.abort(new Error("The client was closed."));
  }
}

/** Completes the subscriptions that are open when the client is closed, also those that wait for their next attempt. */
export function endOnClose(closing: Closing): TRPCLink<ApiRouter> {
  return () =>
    ({ op, next }) =>
      observable((observer) => {
        const { signal } = closing;
        const subscription = next(op).subscribe(observer);
        const end = () => {
          subscription.unsubscribe();
          observer.complete();
        };
        signal.addEventListener("abort", end);
        return () => {
          signal.removeEventListener("abort", end);
          subscription.unsubscribe();
        };
      });
}

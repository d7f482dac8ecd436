/**
 * The end of an event stream that has nothing more to give. A browser's own `EventSource` takes the end of every stream for
 * a lost connection, and opens it again every few seconds, unless the answer is an error, which the stock client of tRPC
 * does not take for an end. So it is told to wait. tRPC's client has closed its `EventSource` by then.
 */
import type { ServerResponse } from "node:http";

const ONE_DAY_MS = 86_400_000;

/** A field by itself: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
const COME_BACK_TOMORROW = `retry: ${ONE_DAY_MS}\n\n`;

/**
 * To be called before the response ends. The field is the last thing in it: a client that loses the connection before it
 * had everything comes back soon.
 */
export function endForGood(res: ServerResponse): void {
  const end = res.end.bind(res);
  res.end = (() => end(COME_BACK_TOMORROW)) as ServerResponse["end"];
}

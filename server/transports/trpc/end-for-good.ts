/**
 * Ends an event stream that is complete. A plain browser `EventSource` treats the end of any stream as a lost connection and
 * reopens it every few seconds. An error status would stop it, but tRPC's stock client does not treat an error as the end.
 * So the last field tells the browser to wait a day. tRPC's client has closed its `EventSource` before it arrives.
 */
import type { ServerResponse } from "node:http";

const ONE_DAY_MS = 86_400_000;

export function endForGood(res: ServerResponse): void {
  endFor(res, ONE_DAY_MS);
}

/**
 * Ends a stream whose client is to come back in `ms`. Call it before the response ends. The field goes out last, so that a client that loses the connection earlier reconnects
 * soon.
 */
export function endFor(res: ServerResponse, ms: number): void {
  const end = res.end.bind(res);
  // A field without an event: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
  res.end = (() => end(`retry: ${Math.ceil(ms)}\n\n`)) as ServerResponse["end"];
}

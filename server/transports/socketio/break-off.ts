/**
 * Closes polling connections in a way that makes their clients reconnect. Engine.IO answers a client's pending request with a
 * CLOSE packet, which python-socketio treats as an agreed end: it never reconnects. So this module breaks the request off
 * instead, which every client treats as a lost connection. WebSockets do not need this.
 *
 * Engine.IO closes transports in several places (after a missed heartbeat, for example), all through the method that this
 * module replaces. The method is not in Engine.IO's types; tests fail if it disappears.
 */
import type { ServerResponse } from "node:http";
import type { Connection } from "./connection-writer.ts";

/** The private parts of Engine.IO's `Polling` that this module uses. */
interface Polling {
  writable: boolean;
  /** The pending request of the client. `cleanup` removes Engine.IO's listeners from it. */
  req: { cleanup(): void } | null;
  res: ServerResponse | null;
  discard(): unknown;
  doClose(done: () => void): void;
}

/** Call it for each new connection. */
export function breakOffOnClose({ transport }: Connection): void {
  if (transport.name === "polling") (transport as unknown as Polling).doClose = doClose;
}

// All connections share one function, as they are many.
function doClose(this: Polling, done: () => void): void {
  const { req, res } = this;
  if (req !== null && res !== null && this.writable) {
    req.cleanup();
    this.writable = false;
    // Otherwise Engine.IO waits half a minute for the next request, to answer that with CLOSE.
    this.discard();
    res.destroy();
  }
  (Object.getPrototypeOf(this) as Polling).doClose.call(this, done);
}

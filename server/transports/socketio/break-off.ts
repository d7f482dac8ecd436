/**
 * Closes polling connections so that their clients come back. Engine.IO answers the request that a client holds with a
 * CLOSE packet, which python-socketio takes for an end that was agreed on: it never connects again. So the request is
 * broken off instead, as every client takes that for a lost connection. A WebSocket needs nothing of the kind.
 *
 * Engine.IO closes a transport in several places of its own (a missed heartbeat, for one), all of which call the method
 * that is replaced here. It is not in Engine.IO's types; tests fail where it is gone.
 */
import type { ServerResponse } from "node:http";
import type { Connection } from "./connection-writer.ts";

/** The parts of Engine.IO's `Polling` that are used. */
interface Polling {
  writable: boolean;
  /** The request that the client holds, and how to let go of it. */
  req: { cleanup(): void } | null;
  res: ServerResponse | null;
  discard(): unknown;
  doClose(done: () => void): void;
}

/** To be called for each new connection. */
export function breakOffOnClose({ transport }: Connection): void {
  if (transport.name === "polling") (transport as unknown as Polling).doClose = doClose;
}

// One function for all of them: there are many.
function doClose(this: Polling, done: () => void): void {
  const { req, res } = this;
  if (req !== null && res !== null && this.writable) {
    req.cleanup();
    this.writable = false;
    // Without this Engine.IO waits half a minute for the next request, to say CLOSE then.
    this.discard();
    res.destroy();
  }
  (Object.getPrototypeOf(this) as Polling).doClose.call(this, done);
}

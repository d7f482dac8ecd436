/**
 * The end of a connection with its caller's credentials. It closes below Socket.IO, so that the client reconnects, with the
 * token of that moment, and gets its subscriptions back.
 */
import type { Socket } from "socket.io";
import type { Caller } from "#server/transports/contract.ts";
import { type CredentialLimits, msToEnd } from "#server/transports/callers/credential-end.ts";
import type { DeadlineOwner, Deadlines } from "#server/transports/callers/deadlines.ts";
import type { Lasting } from "#server/transports/callers/end-with-credential.ts";
import type { Clock } from "#shared/clock.ts";
import type { Connection } from "./connection-writer.ts";

/** Enough for the answer to the request that ends the connection. */
const LAST_ANSWER_MS = 1000;

interface LifetimeOptions {
  readonly deadlines: Deadlines;
  readonly credentialLimits: CredentialLimits;
  readonly clock: Clock;
}

export class Lifetime implements DeadlineOwner {
  readonly #connection: Connection;
  readonly #shared: LifetimeOptions;

  #isLeaving = false;

  constructor(connection: Connection, shared: LifetimeOptions) {
    this.#connection = connection;
    this.#shared = shared;
  }

  /** The client's credentials were accepted. */
  identified(caller: Caller): void {
    // A further refresh must not keep subscriptions that relied on the rights that were lost.
    if (this.#isLeaving) return;
    const ms = msToEnd(caller, this.#shared.clock);
    if (ms === undefined) this.#shared.deadlines.delete(this);
    else this.#endIn(ms + this.#shared.credentialLimits.graceMs);
  }

  /** The client must come back, so that all of its subscriptions are checked again. */
  renew(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#endIn(LAST_ANSWER_MS);
  }

  due(): void {
    this.#connection.close(true);
  }

  /** The client has left. */
  closed(): void {
    this.#shared.deadlines.delete(this);
  }

  #endIn(ms: number): void {
    if (this.#connection.readyState === "open") this.#shared.deadlines.set(this, ms);
  }
}

/** For credentials that end before their time: closes below Socket.IO too. */
export function lastingOf(socket: Socket): Lasting {
  return {
    get destroyed() {
      return !socket.connected;
    },
    destroy: () => socket.conn.close(true),
    once: (_close, listener) => socket.once("disconnect", listener),
    off: (_close, listener) => socket.off("disconnect", listener),
  };
}

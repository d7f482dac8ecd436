/**
 * Restores the subscriptions of clients that reconnect. Since version 4.6, Socket.IO's own clients return the `pid` of the
 * server's CONNECT packet with their next CONNECT. Nothing else uses it while "connection state recovery" is off, so it
 * carries the secret of our session. The server ignores the offset that clients may send with it.
 *
 * A client that receives the same `pid` again reports `recovered`, and its application then does not subscribe anew. So the
 * server returns the same `pid` if it serves all earlier subscriptions again, and a new one otherwise.
 */
import type { Socket } from "socket.io";
import type { Session, Sessions } from "#server/sessions/open.ts";
import { AppError } from "#shared/errors.ts";
import type { Principal } from "#shared/principal.ts";
import { type SessionStreamRef, sessionStreamOf } from "#shared/stream-ref.ts";
import type { AnyOpening } from "./opening.ts";

/** The initial state of a connection. */
export interface Restored {
  /** The secret of the connection's session. */
  pid: string;
  /** True if the session of this secret is stored, with all subscriptions that have no failure. */
  isStored: boolean;
  subscriptions: readonly RestoredSubscription[];
}

export interface RestoredSubscription {
  key: string;
  ref: SessionStreamRef;
  opening: AnyOpening;
  /** The end that the client has certainly received. */
  toldEnd: number | undefined;
  /** The reason for which the subscription cannot be served any more. */
  failure: AppError | undefined;
}

export interface RestoreOptions {
  sessions: Sessions;
  open: (principal: Principal, ref: SessionStreamRef, device: string) => AnyOpening;
  /** Ends a connection on any gateway. */
  evict: (socketId: string) => void;
}

/** The returned function rejects with `UNAVAILABLE` while the client's session or streams cannot be read. */
export function createRestore({ sessions, open, evict }: RestoreOptions) {
  async function reopen(
    principal: Principal,
    secret: string,
    [key, end]: readonly [key: string, end: number],
  ): Promise<RestoredSubscription> {
    const ref = sessionStreamOf(key);
    const opening = open(principal, ref, secret);
    const failure = await opening.open().then(() => undefined, asFailure);
    return { key, ref, opening, toldEnd: end === NO_END ? undefined : end, failure };
  }

  function reopenAll(
    principal: Principal,
    secret: string,
    { entries }: Session,
  ): Promise<RestoredSubscription[]> {
    return Promise.all([...entries].map((entry) => reopen(principal, secret, entry)));
  }

  return async function restore(socket: Socket, principal: Principal): Promise<Restored> {
    const fresh = { pid: sessions.newSecret(), isStored: false, subscriptions: [] };
    const secret: unknown = socket.handshake.auth.pid;
    if (typeof secret !== "string" || socket.conn.protocol === 3) return fresh;
    const session = await sessions.take({ principal, secret }, socket.id);
    if (session === undefined) return fresh;
    if (session.holder !== "") evict(session.holder);
    // The client has left or reconnected meanwhile; this saves up to a thousand reads.
    if (socket.conn.readyState !== "open") return fresh;
    const subscriptions = await reopenAll(principal, secret, session);
    const served = subscriptions.filter(({ failure }) => failure === undefined);
    if (served.length === subscriptions.length) {
      return { pid: secret, isStored: true, subscriptions };
    }
    // The old session stays until it expires: a client that never receives the new `pid` reconnects with the old one.
    const whose = { principal, secret: fresh.pid };
    const entries = new Map(served.map(({ key, toldEnd }) => [key, toldEnd ?? NO_END]));
    await sessions.begin(whose, socket.id, entries);
    return { pid: fresh.pid, isStored: true, subscriptions };
  };
}

/** The stored value of a subscription whose client has received no end. */
export const NO_END = 0;

function asFailure(error: unknown): AppError {
  return error instanceof AppError
    ? error
    : new AppError("INTERNAL", "It failed.", { cause: error });
}

/**
 * Clients that come back without saying what they were subscribed to. Socket.IO's own clients have sent back the `pid`
 * of a CONNECT packet with their next CONNECT since 4.6; with "connection state recovery" off nothing else uses it. So the
 * server makes it the secret of a session of its own. The offset that they may send with it is not looked at.
 *
 * `recovered` of a client is true where it gets the same one back, and applications then ask for nothing. So it gets the
 * same one where all that it had is served again, and a new one otherwise.
 */
import type { Socket } from "socket.io";
import type { Session, Sessions } from "#server/sessions/open.ts";
import { AppError } from "#shared/errors.ts";
import type { Principal } from "#shared/principal.ts";
import { type SessionStreamRef, sessionStreamOf } from "#shared/stream-ref.ts";
import type { AnyOpening } from "./opening.ts";

/** The state that a connection begins with. */
export interface Restored {
  /** The secret of its session. */
  pid: string;
  /** The session of this secret is stored, with all subscriptions that have no failure. */
  isStored: boolean;
  subscriptions: readonly RestoredSubscription[];
}

export interface RestoredSubscription {
  key: string;
  ref: SessionStreamRef;
  opening: AnyOpening;
  /** The end that its client is known to have been told. */
  toldEnd: number | undefined;
  /** Why it cannot be served any more. */
  failure: AppError | undefined;
}

export interface RestoreOptions {
  sessions: Sessions;
  open: (principal: Principal, ref: SessionStreamRef) => AnyOpening;
  /** Ends a connection, on whichever gateway it is. */
  evict: (socketId: string) => void;
}

/** Rejects with `UNAVAILABLE` while what the client had cannot be read. */
export function createRestore({ sessions, open, evict }: RestoreOptions) {
  async function reopen(
    principal: Principal,
    [key, end]: readonly [key: string, end: number],
  ): Promise<RestoredSubscription> {
    const ref = sessionStreamOf(key);
    const opening = open(principal, ref);
    const failure = await opening.open().then(() => undefined, asFailure);
    return { key, ref, opening, toldEnd: end === NO_END ? undefined : end, failure };
  }

  function reopenAll(principal: Principal, { entries }: Session): Promise<RestoredSubscription[]> {
    return Promise.all([...entries].map((entry) => reopen(principal, entry)));
  }

  return async function restore(socket: Socket, principal: Principal): Promise<Restored> {
    const fresh = { pid: sessions.newSecret(), isStored: false, subscriptions: [] };
    const secret: unknown = socket.handshake.auth.pid;
    if (typeof secret !== "string" || socket.conn.protocol === 3) return fresh;
    const session = await sessions.take({ principal, secret }, socket.id);
    if (session === undefined) return fresh;
    if (session.holder !== "") evict(session.holder);
    // A thousand reads, for a client that is gone or has come once more.
    if (socket.conn.readyState !== "open") return fresh;
    const subscriptions = await reopenAll(principal, session);
    const served = subscriptions.filter(({ failure }) => failure === undefined);
    if (served.length === subscriptions.length) {
      return { pid: secret, isStored: true, subscriptions };
    }
    // The old one stays until its time is over: the client comes back with it where it does not hear of this one.
    const whose = { principal, secret: fresh.pid };
    const entries = new Map(served.map(({ key, toldEnd }) => [key, toldEnd ?? NO_END]));
    await sessions.begin(whose, socket.id, entries);
    return { pid: fresh.pid, isStored: true, subscriptions };
  };
}

/** The value of a subscription whose client was told of no end. */
export const NO_END = 0;

function asFailure(error: unknown): AppError {
  return error instanceof AppError
    ? error
    : new AppError("INTERNAL", "It failed.", { cause: error });
}

/**
 * The part of an engine that keeps sessions: what a client is subscribed to, for when it comes back without saying so again. One
 * connection at a time holds a session, and saves it. `SESSION_KEPT_MS` after that it is gone; so is, of more than
 * `MAX_SAVED_SESSIONS` of a tenant, the one that was saved the longest ago. The engine does not interpret its entries. Its errors
 * are those of every method of an engine (`contract.ts`).
 */
import type { Owner } from "#shared/principal.ts";

export interface SessionStore {
  /** Gives it to `holder`; from then on nothing is saved for the one before. `undefined`: there is none. */
  takeSession(session: SessionRef, holder: string): Promise<Session | undefined>;
  saveSession(session: SessionRef, holder: string, change: SessionChange): Promise<SessionSaved>;
  /** Deletes the session if `holder` holds it. */
  endSession(session: SessionRef, holder: string): Promise<void>;
}

/** Of one owner: another one's session of the same id is another session. */
export interface SessionRef extends Owner {
  id: string;
}

export interface Session {
  /** The connection that held it before. */
  holder: string;
  /** Whole numbers by names. */
  entries: Map<string, number>;
}

export interface SessionChange {
  /** `null`: not any more. */
  entries: ReadonlyMap<string, number | null>;
  /** These are all of its entries, and a session that is not there is made. */
  whole: boolean;
}

/** `missing`: there is no such session, and the change was not whole. `taken`: another one holds it. Nothing was saved. */
export type SessionSaved = "saved" | "missing" | "taken";

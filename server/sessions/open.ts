/**
 * Sessions: the engine keeps the subscriptions of clients, so that a client that reconnects continues without subscribing
 * again, even after its connection, gateway or process has ended. A secret that only the client has identifies its session,
 * which belongs to the user who began it.
 */
import { createHash, randomBytes } from "node:crypto";
import type { Engine, Session, SessionRef } from "#server/engine/contract.ts";
import { ownerOf, type Principal } from "#shared/principal.ts";
import { type Holder, SavedSession } from "./saved-session.ts";

export type { Session } from "#server/engine/contract.ts";
export type { Holder, SavedSession } from "./saved-session.ts";

type Store = Pick<Engine, "takeSession" | "saveSession" | "endSession">;

/** Identifies a session by its user and its secret. */
export interface Whose {
  principal: Principal;
  /** From `newSecret`, or as a client sent it. */
  secret: string;
}

export interface Sessions {
  newSecret(): string;
  /**
   * Makes the connection `holderId` the holder; the previous holder can no longer save. Returns `undefined` if the session
   * does not exist or belongs to another user. Rejects with `UNAVAILABLE` while the engine cannot be read.
   */
  take(whose: Whose, holderId: string): Promise<Session | undefined>;
  /** Stores a new session with `entries`. Rejects with `UNAVAILABLE` while the engine cannot store it. */
  begin(whose: Whose, holderId: string, entries: ReadonlyMap<string, number>): Promise<void>;
  /** `isStored`: the stored session has all entries of the holder. Otherwise the first entry creates it. */
  hold(whose: Whose, holder: Holder, isStored: boolean): SavedSession;
  /** Resolves when all pending saves have ended. Call it when no connection is left. */
  close(): Promise<void>;
}

const SECRET_BYTES = 16;
const SECRET = /^[\w-]{22}$/;

export function openSessions(store: Store): Sessions {
  const saving = new Set<Promise<void>>();
  return {
    newSecret: () => randomBytes(SECRET_BYTES).toString("base64url"),
    async take(whose, holderId) {
      return SECRET.test(whose.secret) ? store.takeSession(refOf(whose), holderId) : undefined;
    },
    async begin(whose, holderId, entries) {
      await store.saveSession(refOf(whose), holderId, { entries, whole: true });
    },
    hold: (whose, holder, isStored) =>
      new SavedSession(store, refOf(whose), holder, { isStored, saving }),
    async close() {
      while (saving.size > 0) await Promise.all(saving);
    },
  };
}

/** Stores only a hash of the secret, so that reading the data is not enough to take over a session. */
function refOf({ principal, secret }: Whose): SessionRef {
  return { ...ownerOf(principal), id: createHash("sha256").update(secret).digest("base64url") };
}

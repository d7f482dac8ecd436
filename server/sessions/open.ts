/**
 * Sessions: what clients are subscribed to, kept beside the jobs, so that one that comes back without saying so again
 * goes on, whatever became of its connection, the gateway or the process. A session is known by a secret that only its
 * client has, and belongs to the user who began it.
 */
import { createHash, randomBytes } from "node:crypto";
import type { Engine, Session, SessionRef } from "#server/engine/contract.ts";
import { ownerOf, type Principal } from "#shared/principal.ts";
import { type Holder, SavedSession } from "./saved-session.ts";

export type { Session } from "#server/engine/contract.ts";
export type { Holder, SavedSession } from "./saved-session.ts";

type Store = Pick<Engine, "takeSession" | "saveSession" | "endSession">;

/** A session, by its user and its secret. */
export interface Whose {
  principal: Principal;
  /** Of `newSecret`, or what a client says that it got. */
  secret: string;
}

export interface Sessions {
  newSecret(): string;
  /**
   * Gives it to the connection `holderId`; nothing is saved any more for the one before. `undefined`: there is none, or it
   * is another user's. Rejects with `UNAVAILABLE` while that cannot be known.
   */
  take(whose: Whose, holderId: string): Promise<Session | undefined>;
  /** Stores a new one with `entries`. Rejects with `UNAVAILABLE` while that is not possible. */
  begin(whose: Whose, holderId: string, entries: ReadonlyMap<string, number>): Promise<void>;
  /** `isStored`: with all that the holder has. Else nothing is stored until there is something to remember. */
  hold(whose: Whose, holder: Holder, isStored: boolean): SavedSession;
  /** Resolves when all is saved that can be. To be called when no connection is left. */
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

/** By a hash: reading the data is not enough to take a session over. */
function refOf({ principal, secret }: Whose): SessionRef {
  return { ...ownerOf(principal), id: createHash("sha256").update(secret).digest("base64url") };
}

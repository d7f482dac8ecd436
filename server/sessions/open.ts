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

/** Whose session it is. */
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
  /** Of a session that was taken, and is not held. */
  forget(whose: Whose, holderId: string): void;
  /** `taken`: it is stored, with all that the holder has. Else nothing is stored until there is something to remember. */
  hold(whose: Whose, holder: Holder, taken: boolean): SavedSession;
}

const SECRET_BYTES = 16;
const SECRET = /^[\w-]{22}$/;

export function openSessions(store: Store): Sessions {
  return {
    newSecret: () => randomBytes(SECRET_BYTES).toString("base64url"),
    async take(whose, holderId) {
      return SECRET.test(whose.secret) ? store.takeSession(refOf(whose), holderId) : undefined;
    },
    forget(whose, holderId) {
      // What cannot be forgotten now is forgotten when its time is over.
      store.endSession(refOf(whose), holderId).catch(() => {});
    },
    hold: (whose, holder, taken) => new SavedSession(store, refOf(whose), holder, taken),
  };
}

/** Whoever can read the data cannot take a session over by that. */
function refOf({ principal, secret }: Whose): SessionRef {
  return { ...ownerOf(principal), id: createHash("sha256").update(secret).digest("base64url") };
}

/**
 * Sign-ins: a browser proves its identity once, with a token, and from then on sends a cookie with a secret. The engine stores
 * only the secret's hash, so that reading the data is not enough to take over a sign-in.
 *
 *   begin ──► used ──┬─ signed out, or one too many of its user ──► removed
 *               ▲    ├─ unused for `idleMs` ──────────────────────► removed
 *               └────┘─ `maxMs` old, or the credential's end ─────► removed
 */
import { createHash, randomBytes } from "node:crypto";
import type { SignInStore } from "#server/engine/contract.ts";
import type { CredentialRef } from "#shared/checked-caller.ts";
import type { Principal } from "#shared/principal.ts";
import type { SignIn } from "#shared/sign-in.ts";

export interface SignIns {
  /** Stores a new one. Rejects with `UNAVAILABLE` while the engine cannot store it. */
  begin(caller: SigningIn): Promise<NewSignIn>;
  /** `undefined`: there is none, or it has ended. Rejects with `UNAVAILABLE` while the engine cannot be read. */
  find(secret: string): Promise<SignIn | undefined>;
  /** Does nothing if there is none. Rejects with `UNAVAILABLE` while the engine cannot store that it ended. */
  end(secret: string): Promise<void>;
  /** Resolves when all pending writes have ended. */
  close(): Promise<void>;
}

/** A caller whose credential was checked. */
export interface SigningIn {
  principal: Principal;
  credential: CredentialRef;
  /** The end of the credential, in milliseconds since the epoch; `undefined` if it does not end. */
  expiresAt?: number | undefined;
}

export interface NewSignIn {
  /** For the cookie. */
  secret: string;
  signIn: SignIn;
}

export interface SignInOptions {
  /** A sign-in that is not used for this time ends. */
  idleMs: number;
  /** The longest life of one, however much it is used. */
  maxMs: number;
  now: () => Date;
  /** Receives errors that concern no caller. */
  tell: (error: unknown, what: string) => void;
}

const SECRET_BYTES = 32;
const SECRET = /^[\w-]{43}$/;
/** Use is written at most this often. */
const RENEW_MS = 60_000;

export function openSignIns(store: SignInStore, options: SignInOptions): SignIns {
  const { idleMs, maxMs, tell } = options;
  const renewing = new Map<string, Promise<void>>();
  const timeNow = () => options.now().getTime();

  async function renew(signIn: SignIn): Promise<void> {
    try {
      await store.renewSignIn(signIn);
    } catch (error) {
      tell(error, "The use of a sign-in could not be stored");
    } finally {
      renewing.delete(signIn.id);
    }
  }

  return {
    async begin({ principal, credential, expiresAt = Infinity }) {
      const secret = randomBytes(SECRET_BYTES).toString("base64url");
      const madeAt = timeNow();
      const end = Math.min(expiresAt, madeAt + maxMs);
      const signIn: SignIn = {
        id: idOf(secret),
        principal,
        credential: { issuedAt: madeAt, ...credential },
        madeAt,
        usedAt: madeAt,
        expiresAt: end,
        endsAt: Math.min(end, madeAt + idleMs),
      };
      await store.addSignIn(signIn);
      return { secret, signIn };
    },

    async find(secret) {
      if (!SECRET.test(secret)) return undefined;
      const id = idOf(secret);
      const now = timeNow();
      const signIn = await store.getSignIn(id, new Date(now));
      if (signIn === undefined) return undefined;
      // The machine's clock may have been set back.
      const isRenewed = Math.abs(now - signIn.usedAt) < RENEW_MS || renewing.has(id);
      if (!isRenewed) {
        const endsAt = Math.min(signIn.expiresAt, now + idleMs);
        renewing.set(id, renew({ ...signIn, usedAt: now, endsAt }));
      }
      return signIn;
    },

    async end(secret) {
      if (!SECRET.test(secret)) return;
      const id = idOf(secret);
      const signIn = await store.getSignIn(id, new Date(timeNow()));
      if (signIn !== undefined) await store.removeSignIn(signIn);
    },

    async close() {
      await Promise.all(renewing.values());
    },
  };
}

function idOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/**
 * Verifies API keys. What the engine said of a key is kept for some seconds, so that an authenticated call costs no read.
 * A hint that a key was revoked makes the process forget it at once; without one its time in the cache ends.
 */
import { LRUCache } from "lru-cache";
import type { ApiKeyStore } from "#server/engine/contract.ts";
import { type ApiKey, stateOf } from "#shared/api-key.ts";
import type { CredentialHint } from "#shared/credential-hint.ts";
import { AppError } from "#shared/errors.ts";
import { hashOfApiKey } from "./api-key.ts";
import type { Verified, VerifyToken } from "./token-verifier.ts";

/** From when the read of a key begins. A revocation whose hint was lost counts after it. */
const KEPT_MS = 5000;
const MAX_KEPT_KEYS = 10_000;
/** Between two writes of a key's last use. */
const USE_NOTED_EVERY_MS = 60_000;

export interface ApiKeyVerifier {
  /** Rejects with `UNAUTHENTICATED` for a key that is unknown, revoked or expired, and with the engine's error if it cannot tell. */
  verify: VerifyToken;
  /** True if the key with this hash is stored and valid. Rejects with the engine's error if it cannot tell. */
  isValid(hash: string): Promise<boolean>;
  /** Reads the keys that may have ended again from the engine. Reads that are under way are not kept either. */
  forget(hint: CredentialHint): void;
}

interface ApiKeyVerifierOptions {
  store: Pick<ApiKeyStore, "find" | "noteUse">;
  now: () => Date;
  /** Receives errors of writes that no caller waits for. */
  tell: (error: unknown, what: string) => void;
  /** Monotonic, in milliseconds. */
  clock?: () => number;
}

export function createApiKeyVerifier({
  store,
  now,
  tell,
  clock = () => performance.now(),
}: ApiKeyVerifierOptions): ApiKeyVerifier {
  // With `max`, lru-cache would allocate all places at once, which takes a millisecond or two for each cache of a start.
  const most = { maxSize: MAX_KEPT_KEYS, sizeCalculation: () => 1 };
  const kept = new LRUCache<string, { key: ApiKey; since: number }>(most);
  /** By hash: many calls that arrive with a key at once share a read. */
  const reads = new Map<string, Promise<ApiKey | undefined>>();
  /** By id, by `clock`. */
  const noted = new LRUCache<string, number>(most);

  async function read(hash: string): Promise<ApiKey | undefined> {
    const since = clock();
    const reading = store.find(hash);
    reads.set(hash, reading);
    try {
      const key = await reading;
      // An unknown key is not kept: it may be made in a moment, and texts that are no keys would push out those that are.
      if (key !== undefined && reads.get(hash) === reading) kept.set(hash, { key, since });
      return key;
    } finally {
      if (reads.get(hash) === reading) reads.delete(hash);
    }
  }

  async function find(hash: string): Promise<ApiKey | undefined> {
    const found = kept.get(hash);
    if (found !== undefined && clock() - found.since < KEPT_MS) return found.key;
    return reads.get(hash) ?? read(hash);
  }

  function noteUse({ id, lastUsedAt }: ApiKey): void {
    const [time, at] = [clock(), now()];
    // Noted by another process, and by this one.
    if (lastUsedAt !== null && at.getTime() - lastUsedAt.getTime() < USE_NOTED_EVERY_MS) return;
    if (time - (noted.get(id) ?? -Infinity) < USE_NOTED_EVERY_MS) return;
    noted.set(id, time);
    store.noteUse(id, at).catch((error: unknown) => {
      tell(error, "The last use of an API key could not be stored");
    });
  }

  return {
    async verify(text) {
      const hash = hashOfApiKey(text);
      if (hash === undefined) throw refused("it is not of the form of a key");
      const key = await find(hash);
      if (key === undefined) throw refused("it is unknown");
      const state = stateOf(key, now());
      if (state !== "valid") throw refused(`key ${key.id} is ${state}`);
      noteUse(key);
      return { ...verified(key), keyHash: hash };
    },
    async isValid(hash) {
      const key = await find(hash);
      return key !== undefined && stateOf(key, now()) === "valid";
    },
    forget(hint) {
      if (hint.kind !== "key" && hint.kind !== "user" && hint.kind !== "any") return;
      reads.clear();
      if (hint.kind === "key") kept.delete(hint.hash);
      else if (hint.kind === "any") kept.clear();
      else {
        for (const [hash, { key }] of kept.entries()) {
          if (key.tenant === hint.tenant && key.user === hint.user) kept.delete(hash);
        }
      }
    },
  };
}

/** The caller does not learn whether there is such a key; the cause is for the log. */
function refused(why: string): AppError {
  const cause = new Error(`The API key was refused: ${why}.`);
  return new AppError("UNAUTHENTICATED", "This API key is not valid.", { cause });
}

function verified({ id, user, tenant, scopes, createdAt, expiresAt }: ApiKey): Verified {
  return {
    principal: { userId: user, tenantId: tenant, scopes },
    expiresAt: expiresAt?.getTime(),
    issuedAt: createdAt.getTime(),
    id,
  };
}

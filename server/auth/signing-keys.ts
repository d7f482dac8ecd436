/**
 * The keys with which the server signs stream tokens, share links and tickets: one for each day, by UTC. The first process that
 * signs on a day stores the key, and all others use that one. A key stays as long as anything that it signed may count.
 */
import { randomBytes } from "node:crypto";
import type { SigningKeyStore } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import { MAX_SHARE_LINK_SECONDS } from "#shared/limits.ts";
import { Refusal } from "./token-refusal.ts";

const DAY_MS = 86_400_000;
/** The longest life of what a key signs, the day on which it signs, and one for clocks that differ. */
const KEPT_DAYS = MAX_SHARE_LINK_SECONDS / 86_400 + 2;
const SECRET_BYTES = 32;
/** A key that was lost or replaced, with the data, counts for this time longer. */
const CACHED_MS = 60_000;
/** Days since the epoch. */
const KEY_ID = /^\d{1,6}$/;

export interface Key {
  id: string;
  secret: Uint8Array;
}

/** Both reject with the engine's error if the key cannot be read or stored, and with `UNAVAILABLE` if it is lost. */
export interface SigningKeys {
  /** The key of today. */
  current(): Promise<Key>;
  /** Rejects with a `Refusal` for what cannot be the id of a key that still counts. */
  find(id: unknown): Promise<Key>;
}

interface SigningKeysOptions {
  store: SigningKeyStore;
  now: () => Date;
  /** Monotonic, in milliseconds. */
  clock?: () => number;
}

export function createSigningKeys({
  store,
  now,
  clock = () => performance.now(),
}: SigningKeysOptions): SigningKeys {
  const cached = new Map<string, { key: Promise<Key>; since: number }>();
  const today = () => Math.floor(now().getTime() / DAY_MS);

  /** Calls that come at once share a read. */
  function cache(id: string, read: () => Promise<string | undefined>): Promise<Key> {
    const known = cached.get(id);
    if (known !== undefined && clock() - known.since < CACHED_MS) return known.key;
    const key = read().then((secret) => ({ id, secret: decode(id, secret) }));
    const entry = { key, since: clock() };
    cached.set(id, entry);
    key.catch(() => {
      if (cached.get(id) === entry) cached.delete(id);
    });
    for (const old of cached.keys()) if (!isKept(old)) cached.delete(old);
    return key;
  }

  /** Limits the cache and the reads of the engine to as many keys as there are. */
  function isKept(id: string): boolean {
    const age = today() - Number(id);
    return age >= -1 && age <= KEPT_DAYS;
  }

  return {
    current() {
      const day = today();
      const id = String(day);
      return cache(id, () => {
        const secret = randomBytes(SECRET_BYTES).toString("base64url");
        return store.agree({ id, secret, until: new Date((day + KEPT_DAYS) * DAY_MS) }, now());
      });
    },
    async find(id) {
      if (typeof id !== "string" || !KEY_ID.test(id) || !isKept(id)) {
        throw new Refusal("it names no key that still counts");
      }
      return cache(id, () => store.find(id));
    },
  };
}

function decode(id: string, secret: string | undefined): Uint8Array {
  const bytes = Buffer.from(secret ?? "", "base64url");
  if (bytes.length === SECRET_BYTES) return bytes;
  const why = secret === undefined ? "is not stored" : "cannot be read";
  throw new AppError("UNAVAILABLE", "The server could not check your token. Try again.", {
    cause: new Error(`The signing key ${id} ${why}. What it signed cannot be checked.`),
  });
}

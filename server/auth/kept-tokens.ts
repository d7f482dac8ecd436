/**
 * Keeps valid tokens for some seconds, so that the many calls of a client cost one signature check. A key that its provider
 * withdraws counts for that time longer; the end of a token is checked at each call.
 */
import { LRUCache } from "lru-cache";
import type { Verified, VerifyToken } from "./token-verifier.ts";

const KEPT_MS = 5000;
const MAX_KEPT_TOKENS = 10_000;
/** The characters of all of them. */
const MAX_KEPT_TOKEN_CHARS = 16 * 1024 * 1024;
/** A longer token takes the place of several. */
const CHARS_PER_TOKEN = MAX_KEPT_TOKEN_CHARS / MAX_KEPT_TOKENS;

interface KeptTokensOptions {
  now?: () => number;
  /** Monotonic, in milliseconds. */
  clock?: () => number;
}

/** Refusals are not kept. */
export function keepTokens(
  verify: VerifyToken,
  { now = Date.now, clock = () => performance.now() }: KeptTokensOptions = {},
): VerifyToken {
  const kept = new LRUCache<string, { verified: Verified; since: number }>({
    // With `max`, lru-cache would allocate all places at once.
    maxSize: MAX_KEPT_TOKENS,
    sizeCalculation: (_value, token) => Math.ceil(token.length / CHARS_PER_TOKEN),
  });

  return async (token) => {
    const found = kept.get(token);
    if (found !== undefined && clock() - found.since < KEPT_MS) {
      const { verified } = found;
      if (verified.expiresAt === undefined || verified.expiresAt > now()) return verified;
    }
    const since = clock();
    const verified = await verify(token);
    kept.set(token, { verified, since });
    return verified;
  };
}

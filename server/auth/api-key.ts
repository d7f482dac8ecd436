/** The text of an API key: a prefix by which people, programs and secret scanners know it, and 256 random bits. */
import { createHash, randomBytes } from "node:crypto";

export const API_KEY_PREFIX = "jw_";
const RANDOM_BYTES = 32;
/** 43 characters of base64url hold 32 bytes. */
const API_KEY = /^jw_[\w-]{43}$/;

export function newApiKey(): string {
  return `${API_KEY_PREFIX}${randomBytes(RANDOM_BYTES).toString("base64url")}`;
}

/** True if the text is meant as a key, well-formed or not. No JWT begins like this. */
export function looksLikeApiKey(text: string): boolean {
  return text.startsWith(API_KEY_PREFIX);
}

/** SHA-256, as hexadecimal digits; `undefined` if the text cannot be a key. A key is random, so its hash needs no salt. */
export function hashOfApiKey(text: string): string | undefined {
  return API_KEY.test(text) ? createHash("sha256").update(text).digest("hex") : undefined;
}

import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { hashOfApiKey, looksLikeApiKey, newApiKey } from "./api-key.ts";

test("[P8] a key begins with jw_ and holds 256 random bits", () => {
  const keys = Array.from({ length: 200 }, newApiKey);
  for (const key of keys) {
    expect(key).toMatch(/^jw_[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(key.slice(3), "base64url")).toHaveLength(32);
    expect(looksLikeApiKey(key)).toBe(true);
    expect(hashOfApiKey(key)).toBe(createHash("sha256").update(key).digest("hex"));
  }
  expect(new Set(keys).size).toBe(keys.length);
});

test("[P8] a text of any other form has no hash, so that nothing is read for it", () => {
  const key = newApiKey();
  for (const text of [`${key}a`, key.slice(0, -1), ` ${key}`, `${key}\n`, key.slice(3), "jw_", ""])
    expect(hashOfApiKey(text)).toBeUndefined();
});

test("no JWT is taken for a key", () => {
  expect(looksLikeApiKey("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln")).toBe(false);
});

import { expect, test } from "vitest";
import { createPendingSeal, type Pending } from "./pending.ts";
import { MAX_PENDING_MS } from "./routes.ts";
import { MAX_RETURN_CHARS } from "./return-path.ts";

const SETTINGS = {
  issuer: "https://id.example.com",
  clientId: "jobwire",
  clientSecret: "a secret of the tests",
};
const PENDING: Pending = {
  state: "s".repeat(43),
  nonce: "n".repeat(43),
  verifier: "v".repeat(43),
  returnTo: "/jobs",
};
let time = Date.now();
const now = () => new Date(time);
const seal = createPendingSeal(SETTINGS, now);

test("[P18] a gateway opens what another with the same secret sealed, and it is not readable", async () => {
  const sealed = await seal.seal(PENDING);
  expect(await createPendingSeal({ ...SETTINGS }, now).open(sealed)).toEqual(PENDING);
  const parts = sealed.split(".").map((part) => Buffer.from(part, "base64url").toString());
  expect(parts.join("")).not.toMatch(/vvv|nnn|sss|jobs/);
});

test.each([
  { clientSecret: "another secret of the tests" },
  { clientId: "shop" },
  { issuer: "https://id.example.com/" },
])("[P18] a server with %j does not open it", async (change) => {
  const other = createPendingSeal({ ...SETTINGS, ...change }, now);
  expect(await other.open(await seal.seal(PENDING))).toBeUndefined();
});

test("[P18] it is too old after ten minutes", async () => {
  const sealed = await seal.seal(PENDING);
  time += MAX_PENDING_MS - 1000;
  expect(await seal.open(sealed)).toEqual(PENDING);
  time += 2000;
  expect(await seal.open(sealed)).toBeUndefined();
});

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

test("[P18] a change anywhere in it is noticed", async () => {
  const sealed = await seal.seal(PENDING);
  for (let at = 0; at < sealed.length; at += 7) {
    // The lowest bits of a part's last digit may mean nothing: change the highest one.
    const other = BASE64URL[BASE64URL.indexOf(sealed.charAt(at)) ^ 32] ?? "A";
    const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
    expect(await seal.open(changed)).toBeUndefined();
  }
});

test("the longest one fits into a cookie, and four into the headers of a request", async () => {
  const sealed = await seal.seal({ ...PENDING, returnTo: `/${"x".repeat(MAX_RETURN_CHARS - 1)}` });
  expect(sealed.length).toBeLessThan(2048);
});

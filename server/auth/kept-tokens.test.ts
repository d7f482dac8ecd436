import { expect, test, vi } from "vitest";
import { AppError } from "#shared/errors.ts";
import { keepTokens } from "./kept-tokens.ts";
import type { Verified } from "./token-verifier.ts";

const verifiedUntil = (expiresAt: number | undefined): Verified => ({
  principal: { userId: "ann", tenantId: "acme", scopes: [] },
  expiresAt,
  issuedAt: 0,
  id: undefined,
});

function openTestTokens(expiresAt?: number) {
  let time = 1000;
  let isValid = true;
  const check = vi.fn<(token: string) => Promise<Verified>>(async () => {
    if (!isValid) throw new AppError("UNAUTHENTICATED", "This token is not valid.");
    return verifiedUntil(expiresAt);
  });
  const verify = keepTokens(check, { now: () => time, clock: () => time });
  return {
    verify,
    check,
    pass: (ms: number) => void (time += ms),
    setValid: (valid: boolean) => void (isValid = valid),
  };
}

test("[P1] a valid token is checked once in five seconds", async () => {
  const { verify, check, pass } = openTestTokens();
  for (let n = 0; n < 10; n++) expect((await verify("a")).principal.userId).toBe("ann");
  expect(check).toHaveBeenCalledTimes(1);
  await verify("b");
  expect(check).toHaveBeenCalledTimes(2);
  pass(5000);
  await verify("a");
  expect(check).toHaveBeenCalledTimes(3);
});

test("[P2] a token whose key was withdrawn is refused after five seconds", async () => {
  const { verify, pass, setValid } = openTestTokens();
  await verify("a");
  setValid(false);
  pass(4999);
  await expect(verify("a")).resolves.toBeDefined();
  pass(1);
  await expect(verify("a")).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
});

test("[P1] a token that ends is checked again at its end, however short the time since", async () => {
  const { verify, check, pass } = openTestTokens(2000);
  await verify("a");
  pass(999);
  await verify("a");
  expect(check).toHaveBeenCalledTimes(1);
  pass(1);
  await verify("a");
  expect(check).toHaveBeenCalledTimes(2);
});

test("[P1] a refused token is checked each time", async () => {
  const { verify, check, setValid } = openTestTokens();
  setValid(false);
  for (let n = 0; n < 3; n++) await expect(verify("a")).rejects.toThrow("not valid");
  expect(check).toHaveBeenCalledTimes(3);
  setValid(true);
  await expect(verify("a")).resolves.toBeDefined();
});

const long = (n: number) => String(n).padEnd(8192, "x");

test.each([
  { most: 2000, of: "long", name: long },
  { most: 10_000, of: "short", name: String },
])("more than $most $of tokens of many callers push out older ones", async ({ most, name }) => {
  const { verify, check } = openTestTokens();
  for (let n = 0; n < most; n++) await verify(name(n));
  await verify(name(0));
  expect(check).toHaveBeenCalledTimes(most);
  await verify(name(most));
  await verify(name(1));
  expect(check).toHaveBeenCalledTimes(most + 2);
});

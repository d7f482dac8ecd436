import { expect, test, vi } from "vitest";
import type { RevocationStore } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import { createRevocationCheck, type IssuedToken } from "./revocation-check.ts";
import { hashOfTokenId } from "./token-hash.ts";

const SECOND_MS = 1000;
const TOKEN: IssuedToken = { tenant: "acme", user: "ann", id: "t", issuedAt: 7 * SECOND_MS };

/** A check of revocations that are stored without a hint. The clock stands still but for `pass`. */
function createTestCheck() {
  const tokens = new Set<string>();
  const moments = new Map<string, number>();
  let time = 0;
  let isAway = false;
  const find = vi.fn<RevocationStore["find"]>(async (questions) => {
    if (isAway) throw new AppError("UNAVAILABLE", "Away.");
    return questions.map(({ tenant, user, tokenHash = "" }) => ({
      isTokenRevoked: tokens.has(`${tenant} ${tokenHash}`),
      before: moments.get(`${tenant} ${user}`) ?? 0,
    }));
  });
  return {
    ...createRevocationCheck({ store: { find }, clock: () => time }),
    find,
    revokeToken: (id: string, tenant = "acme") => tokens.add(`${tenant} ${hashOfTokenId(id)}`),
    revokeUser: (user: string, before: number) => moments.set(`acme ${user}`, before),
    pass: (ms: number) => void (time += ms),
    setAway: (away: boolean) => void (isAway = away),
  };
}
const hintOfToken = { kind: "token", tenant: "acme", hash: hashOfTokenId("t") } as const;
const hintOfUser = { kind: "user", tenant: "acme", user: "ann" } as const;

test("[P14] a token that was revoked by its id is refused in its tenant, and the reason names it", async () => {
  const { refusal, revokeToken } = createTestCheck();
  revokeToken("t");
  expect(await refusal(TOKEN)).toBe('"t" was revoked');
  expect(await refusal({ ...TOKEN, tenant: "bakery" })).toBeUndefined();
  expect(await refusal({ ...TOKEN, id: "u" })).toBeUndefined();
  expect(await refusal({ ...TOKEN, id: null })).toBeUndefined();
  revokeToken("x".repeat(9000));
  expect((await refusal({ ...TOKEN, id: "x".repeat(9000) }))?.length).toBeLessThan(300);
});

test("[P14] of a revoked user the tokens that were issued before end, and those that do not say when", async () => {
  const { refusal, revokeUser } = createTestCheck();
  revokeUser("ann", 8 * SECOND_MS);
  const issuedAt = (seconds: number) => refusal({ ...TOKEN, issuedAt: seconds * SECOND_MS });
  expect(await issuedAt(7)).toBe(
    'what "ann" was issued before 1970-01-01T00:00:08.000Z was revoked',
  );
  expect(await issuedAt(0)).toContain("was revoked");
  expect(await issuedAt(8)).toBeUndefined();
  expect(await refusal({ ...TOKEN, user: "bob" })).toBeUndefined();
  expect(await refusal({ ...TOKEN, tenant: "bakery" })).toBeUndefined();
});

test("[P14] checks of a token cost one read in five seconds, and a lost hint counts for as long", async () => {
  const { refusal, revokeToken, find, pass } = createTestCheck();
  for (let n = 0; n < 5; n++) expect(await refusal(TOKEN)).toBeUndefined();
  expect(find).toHaveBeenCalledTimes(1);
  revokeToken("t");
  pass(4999);
  expect(await refusal(TOKEN)).toBeUndefined();
  pass(1);
  expect(await refusal(TOKEN)).toContain("was revoked");
});

test.each([
  ["its token", hintOfToken],
  ["its user", hintOfUser],
  ["any credential", { kind: "any" }],
] as const)("[P14] a hint about %s makes the next check read again", async (_about, hint) => {
  const { refusal, revokeToken, forget, find } = createTestCheck();
  const other = { ...TOKEN, user: "bob", id: "other" };
  await Promise.all([refusal(TOKEN), refusal(other)]);
  revokeToken("t");
  forget(hint);
  expect(await refusal(TOKEN)).toContain("was revoked");
  await refusal(other);
  expect(find).toHaveBeenCalledTimes(hint.kind === "any" ? 3 : 2);
});

test("hints about keys, sign-ins and other users cost no read", async () => {
  const { refusal, forget, find } = createTestCheck();
  await refusal(TOKEN);
  forget({ kind: "key", hash: "t" });
  forget({ kind: "sign-in", id: "t" });
  forget({ ...hintOfUser, user: "bob" });
  forget({ ...hintOfUser, tenant: "bakery" });
  forget({ ...hintOfToken, tenant: "bakery" });
  await refusal(TOKEN);
  expect(find).toHaveBeenCalledTimes(1);
});

test("[P14] an answer whose read began before a revocation is not kept", async () => {
  const { refusal, revokeToken, forget, find } = createTestCheck();
  const gate = Promise.withResolvers<void>();
  find.mockImplementationOnce(async (questions) => {
    await gate.promise;
    return questions.map(() => ({ isTokenRevoked: false, before: 0 }));
  });
  const early = refusal(TOKEN);
  await vi.waitFor(() => expect(find).toHaveBeenCalledTimes(1));
  revokeToken("t");
  forget(hintOfToken);
  expect(await refusal(TOKEN)).toContain("was revoked");
  gate.resolve();
  expect(await early).toBeUndefined();
  expect(await refusal(TOKEN)).toContain("was revoked");
});

test("the tokens that a herd of clients brings share reads", async () => {
  const { refusal, find, revokeToken } = createTestCheck();
  revokeToken("7");
  const all = await Promise.all(
    Array.from({ length: 500 }, (_, n) => refusal({ ...TOKEN, id: `${n}` })),
  );
  expect(find).toHaveBeenCalledTimes(1);
  expect(all.flatMap((reason, n) => (reason === undefined ? [] : [n]))).toEqual([7]);
});

test("[P15] while the data cannot be read, a token that was not checked a moment ago does not count", async () => {
  const { refusal, areRevoked, setAway, pass } = createTestCheck();
  await refusal(TOKEN);
  setAway(true);
  expect(await refusal(TOKEN)).toBeUndefined();
  await expect(refusal({ ...TOKEN, id: "new" })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await expect(areRevoked([TOKEN])).rejects.toMatchObject({ code: "UNAVAILABLE" });
  pass(5000);
  await expect(refusal(TOKEN)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  setAway(false);
  expect(await refusal(TOKEN)).toBeUndefined();
});

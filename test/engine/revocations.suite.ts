import { describe, expect, vi } from "vitest";
import type { Engine, RevocationQuestion } from "#server/engine/contract.ts";
import { REVOKED_USER_KEPT_MS } from "#server/engine/revocation-store.ts";
import type { CredentialHint } from "#shared/credential-hint.ts";
import { MAX_REVOKED_TOKENS, MAX_REVOKED_USERS } from "#shared/limits.ts";
import type { SignIn } from "#shared/sign-in.ts";
import { codeOf, newId } from "./builders.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";

const HOUR_MS = 60 * 60_000;
// An engine may expire sign-ins by the machine's clock.
const NOW = Date.now();
const after = (ms: number) => new Date(NOW + ms);
/** Any 64 digits are a SHA-256; these differ for each name. */
const hashOf = (name: string) => Buffer.from(name).toString("hex").padStart(64, "0");

const token = (name: string, given: { tenant?: string; until?: Date } = {}) => ({
  tenant: "acme",
  hash: hashOf(name),
  until: after(HOUR_MS),
  ...given,
});
const question = (given: Partial<RevocationQuestion> = {}) => ({
  tenant: "acme",
  user: "ann",
  ...given,
});

async function isRevoked(engine: Engine, name: string, tenant = "acme"): Promise<boolean> {
  const [answer] = await engine.revocations.find([question({ tenant, tokenHash: hashOf(name) })]);
  return answer?.isTokenRevoked ?? false;
}

async function momentOf(engine: Engine, user: string, tenant = "acme"): Promise<number> {
  const [answer] = await engine.revocations.find([question({ tenant, user })]);
  return answer?.before ?? -1;
}

async function makeKey(engine: Engine, user: string, tenant = "acme"): Promise<string> {
  const id = newId();
  const hash = hashOf(id.slice(4));
  const made = { id, tenant, user, scopes: ["jobs:read"], label: "", expiresAt: null };
  await engine.apiKeys.create({ ...made, createdAt: after(0) }, hash);
  return hash;
}

async function signIn(engine: Engine, userId: string, tenantId = "acme"): Promise<SignIn> {
  const signedIn: SignIn = {
    id: newId(),
    principal: { userId, tenantId, scopes: [] },
    credential: { kind: "token", id: null },
    madeAt: NOW,
    usedAt: NOW,
    expiresAt: NOW + HOUR_MS,
    endsAt: NOW + HOUR_MS,
  };
  await engine.addSignIn(signedIn);
  return signedIn;
}

async function hear(engine: Engine): Promise<CredentialHint[]> {
  const heard: CredentialHint[] = [];
  await engine.onCredentialEnd((hint) => heard.push(hint));
  return heard;
}

const NAMES = ["ann", "ü 😀:{x}", 'a "b"\\', "é-\u2028"];

export function revocationsSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("revocations", () => {
    test("[P14] a token is revoked in its tenant alone, also after closing and opening", async ({
      data,
      engine,
    }) => {
      expect(await isRevoked(engine, "one")).toBe(false);
      await engine.revocations.revokeToken(token("one"), after(0));
      const found = async (on: Engine) => [
        await isRevoked(on, "one"),
        await isRevoked(on, "two"),
        await isRevoked(on, "one", "bakery"),
      ];
      expect(await found(engine)).toEqual([true, false, false]);
      expect(await momentOf(engine, "ann")).toBe(0);
      await engine.close();
      expect(await found(await data.open())).toEqual([true, false, false]);
    });

    test("[P14] the later end of two revocations of a token counts, and it is forgotten after it", async ({
      engine,
    }) => {
      const { revocations } = engine;
      await revocations.revokeToken(token("one", { until: after(2 * HOUR_MS) }), after(0));
      await revocations.revokeToken(token("one", { until: after(HOUR_MS) }), after(0));
      await revocations.revokeToken(token("two"), after(2 * HOUR_MS - 1));
      expect(await isRevoked(engine, "one")).toBe(true);
      await revocations.revokeToken(token("two"), after(2 * HOUR_MS));
      expect(await isRevoked(engine, "one")).toBe(false);
    });

    test("[P14] a user's moment is that of the latest revocation, in its tenant alone", async ({
      engine,
    }) => {
      for (const user of NAMES) {
        for (const ms of [5, 9, 7]) {
          await engine.revocations.revokeUser({ tenant: user, user, before: after(ms) }, after(0));
        }
        expect(await momentOf(engine, user, user)).toBe(NOW + 9);
        expect(await momentOf(engine, user)).toBe(0);
      }
    });

    test("[P14] revoking a user ends the user's keys and sign-ins, and no others", async ({
      engine,
    }) => {
      for (const user of NAMES) {
        const hers = [await makeKey(engine, user), await makeKey(engine, user)];
        const others = [await makeKey(engine, "bob"), await makeKey(engine, user, "bakery")];
        const earlier = await makeKey(engine, user);
        const record = await engine.apiKeys.find(earlier);
        await engine.apiKeys.revoke(record?.id ?? "", after(-5));
        const mine = await signIn(engine, user);
        const foreign = [await signIn(engine, "bob"), await signIn(engine, user, "bakery")];
        const revoked = { tenant: "acme", user, before: after(1000) };
        expect(await engine.revocations.revokeUser(revoked, after(3))).toEqual({
          apiKeys: 2,
          signIns: 1,
        });
        const revokedAt = async (hash: string) => (await engine.apiKeys.find(hash))?.revokedAt;
        for (const hash of hers) expect(await revokedAt(hash)).toEqual(after(3));
        expect(await revokedAt(earlier)).toEqual(after(-5));
        for (const hash of others) expect(await revokedAt(hash)).toBeNull();
        const ids = [mine, ...foreign].map(({ id }) => id);
        expect(await engine.hasSignIns(ids, after(0))).toEqual([false, true, true]);
        expect(await engine.revocations.revokeUser(revoked, after(4))).toEqual({
          apiKeys: 0,
          signIns: 0,
        });
      }
    });

    test("answers any number of questions in their order", async ({ engine }) => {
      await engine.revocations.revokeToken(token("token 7"), after(0));
      const user = { tenant: "acme", user: "user 9", before: after(5) };
      await engine.revocations.revokeUser(user, after(0));
      const questions = Array.from({ length: 2500 }, (_, n) =>
        question({ user: `user ${n % 1200}`, tokenHash: hashOf(`token ${n % 1100}`) }),
      );
      const answers = await engine.revocations.find(questions);
      expect(answers).toHaveLength(2500);
      const at = (is: (answer: (typeof answers)[number]) => boolean) =>
        answers.flatMap((answer, index) => (is(answer) ? [index] : []));
      expect(at(({ isTokenRevoked }) => isTokenRevoked)).toEqual([7, 1107, 2207]);
      expect(at(({ before }) => before === NOW + 5)).toEqual([9, 1209, 2409]);
      expect(await engine.revocations.find([])).toEqual([]);
    });

    test("[H5] [P14] a tenant has a limited number of revoked tokens, and expired ones make room", async ({
      engine,
    }) => {
      const { revocations } = engine;
      const all = Array.from({ length: MAX_REVOKED_TOKENS }, (_, n) =>
        revocations.revokeToken(token(`${n}`, { until: after(n === 7 ? 5 : HOUR_MS) }), after(0)),
      );
      await Promise.all(all);
      const refused = revocations.revokeToken(token("more"), after(4));
      await expect(refused).rejects.toThrow(/"acme" has 5000 revoked tokens.*MAX_REVOKED_TOKENS/);
      expect(await codeOf(refused)).toBe("BAD_REQUEST");
      expect(await isRevoked(engine, "more")).toBe(false);
      // One that is known needs no room, and other tenants have a limit of their own.
      await revocations.revokeToken(token("8"), after(4));
      await revocations.revokeToken(token("more", { tenant: "bakery" }), after(4));
      await revocations.revokeToken(token("more"), after(5));
      expect([await isRevoked(engine, "more"), await isRevoked(engine, "8")]).toEqual([true, true]);
      expect(await isRevoked(engine, "7")).toBe(false);
    });

    test("[H5] [P14] a tenant has a limited number of revoked users, and the oldest makes room after a year", async ({
      engine,
    }) => {
      const { revocations } = engine;
      const revoke = (user: string, ms: number, tenant = "acme") =>
        revocations.revokeUser({ tenant, user, before: after(ms) }, after(ms));
      await Promise.all(Array.from({ length: MAX_REVOKED_USERS }, (_, n) => revoke(`${n}`, n)));
      const refused = revoke("more", REVOKED_USER_KEPT_MS - 1);
      await expect(refused).rejects.toThrow(/"acme" has 5000 revoked users.*MAX_REVOKED_USERS/);
      expect(await codeOf(refused)).toBe("BAD_REQUEST");
      await revoke("7", REVOKED_USER_KEPT_MS - 1);
      await revoke("more", 0, "bakery");
      expect(await momentOf(engine, "0")).toBe(NOW);
      await revoke("more", REVOKED_USER_KEPT_MS);
      expect(await momentOf(engine, "0")).toBe(0);
      expect(await momentOf(engine, "1")).toBe(NOW + 1);
      expect(await momentOf(engine, "more")).toBe(NOW + REVOKED_USER_KEPT_MS);
    });

    test("[P13] the end of each credential is hinted at, after it is stored", async ({
      engine,
    }) => {
      const heard = await hear(engine);
      const key = await makeKey(engine, "ann");
      const { id = "" } = (await engine.apiKeys.find(key)) ?? {};
      const out = await signIn(engine, "ann");
      const seen: Promise<boolean>[] = [];
      await engine.onCredentialEnd((hint) => {
        if (hint.kind === "token") seen.push(isRevoked(engine, "one"));
        if (hint.kind === "sign-in") {
          seen.push(engine.hasSignIns([hint.id], after(0)).then(([is]) => !is));
        }
      });
      await engine.apiKeys.revoke(id, after(0));
      await engine.revocations.revokeToken(token("one"), after(0));
      const user = { tenant: "ü:{x}", user: 'a"b', before: after(0) };
      await engine.revocations.revokeUser(user, after(0));
      await engine.removeSignIn(out);
      const expected: CredentialHint[] = [
        { kind: "key", hash: key },
        { kind: "token", tenant: "acme", hash: hashOf("one") },
        { kind: "user", tenant: "ü:{x}", user: 'a"b' },
        { kind: "sign-in", id: out.id },
      ];
      await vi.waitFor(() => expect(heard).toEqual(expect.arrayContaining(expected)));
      expect(await Promise.all(seen)).toEqual([true, true]);
    });

    test("a listener that ended hears no more, and others still do", async ({ engine }) => {
      const heard = await hear(engine);
      const ended: CredentialHint[] = [];
      const end = await engine.onCredentialEnd((hint) => ended.push(hint));
      end();
      await engine.revocations.revokeToken(token("one"), after(0));
      await vi.waitFor(() => expect(heard).toHaveLength(1));
      expect(ended).toEqual([]);
    });

    test("can be read and written no more once the engine is closed", async ({ engine }) => {
      await engine.close();
      const user = { tenant: "acme", user: "ann", before: after(0) };
      const calls = [
        engine.revocations.revokeToken(token("one"), after(0)),
        engine.revocations.revokeUser(user, after(0)),
        engine.revocations.find([question()]),
        engine.hasSignIns(["one"], after(0)),
        engine.onCredentialEnd(() => undefined),
      ];
      expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => "UNAVAILABLE"));
    });
  });
}

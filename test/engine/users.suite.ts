import { describe, expect } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import type { KnownUser, UserQuery } from "#shared/known-user.ts";
import { newId, newJob } from "./builders.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";

const HOUR_MS = 60 * 60_000;
// An engine may expire sign-ins by the machine's clock.
const NOW = new Date();
const later = new Date(NOW.getTime() + HOUR_MS);

async function allOf(engine: Engine, query: UserQuery = {}): Promise<KnownUser[]> {
  const users: KnownUser[] = [];
  let page;
  do {
    page = await engine.listUsers({ ...query, after: page?.next }, NOW);
    users.push(...page.items);
  } while (page.next !== null);
  return users;
}

const known = (tenant: string, user: string, given: Partial<KnownUser> = {}): KnownUser => ({
  tenant,
  user,
  jobs: 0,
  apiKeys: 0,
  signIns: 0,
  revokedBefore: null,
  ...given,
});

async function makeKey(engine: Engine, tenant: string, user: string, expiresAt: Date | null) {
  const id = newId();
  const hash = Buffer.from(id).toString("hex").slice(0, 64);
  const made = { id, tenant, user, scopes: ["jobs:read"], label: "", createdAt: NOW };
  await engine.apiKeys.create({ ...made, expiresAt }, hash);
  return id;
}

function signIn(engine: Engine, tenantId: string, userId: string): Promise<unknown> {
  return engine.addSignIn({
    id: newId(),
    principal: { tenantId, userId, scopes: [] },
    credential: { kind: "token", id: null },
    madeAt: NOW.getTime(),
    usedAt: NOW.getTime(),
    expiresAt: later.getTime(),
    endsAt: later.getTime(),
  });
}

export function usersSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("users", () => {
    test("are those with jobs, valid keys or sign-ins, or a revocation, each once and in order", async ({
      engine,
    }) => {
      expect(await allOf(engine)).toEqual([]);
      for (const owner of ["ann", "ann", "ü:{x}", "zoë 😀"]) {
        await engine.createJob(newJob({ tenant: "acme", owner }), NOW);
      }
      await engine.createJob(newJob({ tenant: "bakery:{y}", owner: "ann" }), NOW);
      await makeKey(engine, "acme", "ann", null);
      await makeKey(engine, "acme", "ann", later);
      await makeKey(engine, "acme", "ann", NOW);
      await engine.apiKeys.revoke(await makeKey(engine, "acme", "program", null), NOW);
      await signIn(engine, "acme", "ann");
      await signIn(engine, "acme", "zoë 😀");
      await signIn(engine, "acme", "zoë 😀");
      await engine.revocations.revokeUser({ tenant: "acme", user: "gone", before: later }, NOW);
      const ofAcme = [
        known("acme", "ann", { jobs: 2, apiKeys: 2, signIns: 1 }),
        known("acme", "gone", { revokedBefore: later }),
        known("acme", "program"),
        known("acme", "zoë 😀", { jobs: 1, signIns: 2 }),
        known("acme", "ü:{x}", { jobs: 1 }),
      ];
      const ofBakery = [known("bakery:{y}", "ann", { jobs: 1 })];
      expect(await allOf(engine)).toEqual([...ofAcme, ...ofBakery]);
      expect(await allOf(engine, { tenant: "acme" })).toEqual(ofAcme);
      expect(await allOf(engine, { tenant: "bakery:{y}" })).toEqual(ofBakery);
      expect(await allOf(engine, { tenant: "acm*" })).toEqual([]);
      const after = { tenant: "acme", user: "program" };
      expect((await engine.listUsers({ after }, NOW)).items[0]?.user).toBe("zoë 😀");
    });

    test("are forgotten with their last job", async ({ engine }) => {
      const { id } = await engine.createJob(newJob({ tenant: "acme", owner: "ann" }), NOW);
      await engine.change(id, { action: "cancel" }, NOW);
      expect(await engine.prune(later, 9)).toBe(1);
      expect(await allOf(engine)).toEqual([]);
    });

    test("are listed however many there are", async ({ engine }) => {
      const names = Array.from({ length: 450 }, (_, n) => `user ${String(n).padStart(3, "0")}`);
      await Promise.all(
        names.map((owner) => engine.createJob(newJob({ tenant: "acme", owner }), NOW)),
      );
      expect((await allOf(engine)).map(({ user }) => user)).toEqual(names);
    });
  });
}

/** The push of ended credentials alone: the look that would find them too comes too late to matter. */
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { loadConfig } from "#server/config.ts";
import { openEngine } from "#server/engine/index.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import { auditOf } from "#test/engine/audit.ts";
import { newTestData } from "#test/engine/data.fixture.ts";
import { openTestEngine } from "#test/redis/engine.fixture.ts";
import { startRedis, type TestRedis } from "#test/redis/server.fixture.ts";
import { createApiKeys } from "./api-keys.ts";
import type { WatchedCaller } from "./credential-watch.ts";
import { type Auth, openAuth } from "./open.ts";
import { createRevocations } from "./revocations.ts";

const DAY_MS = 86_400_000;
const now = () => new Date();
const tell = (error: unknown) => expect.unreachable(String(error));

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis(inject("redisServer"));
});
afterAll(() => redis.close());

async function openSqlite(): Promise<Engine> {
  const data = await newTestData();
  const engine = await openEngine(data.config);
  onTestFinished(async () => {
    await engine.close();
    await data.remove();
  });
  return engine;
}

/** The engine of the process that ends a credential, and that of the process where it is in use. */
const PROCESSES: [where: string, open: () => Promise<[ends: Engine, uses: Engine]>][] = [
  [
    "in the same process",
    async () => {
      const engine = await openSqlite();
      return [engine, engine];
    },
  ],
  [
    "in another process, over Redis",
    async () => [await openTestEngine(redis.url), await openTestEngine(redis.url)],
  ],
];

async function openTestAuth(engine: Engine): Promise<Auth & { firstLook(): Promise<unknown> }> {
  const onCredentialEnd = vi.fn<Engine["onCredentialEnd"]>(engine.onCredentialEnd);
  const hasSignIns = vi.fn<Engine["hasSignIns"]>(engine.hasSignIns);
  const find = vi.fn<Engine["revocations"]["find"]>(engine.revocations.find);
  const observed = { hasSignIns, onCredentialEnd, revocations: { ...engine.revocations, find } };
  const auth = openAuth(
    { ...engine, ...observed },
    { settings: loadConfig({}), now, tell, lookEveryMs: DAY_MS },
  );
  onTestFinished(() => auth.close());
  // Hints that come before are found by the look alone.
  await onCredentialEnd.mock.results[0]?.value;
  return {
    ...auth,
    async firstLook() {
      await vi.waitFor(() => expect(hasSignIns).toHaveBeenCalled());
      await Promise.all([hasSignIns, find].map(({ mock }) => mock.results[0]?.value));
    },
  };
}

const ANN = { userId: "ann", tenantId: "acme" };
const token = (id: string): WatchedCaller => ({
  principal: ANN,
  credential: { kind: "token", id, issuedAt: Date.now() - 10_000 },
});

describe.each(PROCESSES)("%s", (_where, open) => {
  test("[P13] what a revocation or a sign-out ends is told at once", async () => {
    const [ends, uses] = await open();
    const auth = await openTestAuth(uses);
    const apiKeys = createApiKeys({ store: ends.apiKeys, audit: auditOf(ends), now });
    const request = { tenant: "acme", user: "bob", scopes: ["jobs:read"], label: "" };
    const { key, record } = await apiKeys.create({ ...request, expiresAt: null });
    const { keyHash = "" } = await auth.keys.verify(key);
    const at = Date.now();
    const signIn = {
      id: "sign-in",
      principal: { ...ANN, scopes: [] },
      credential: { kind: "token" as const, id: null, issuedAt: at },
      madeAt: at,
      usedAt: at,
      expiresAt: at + DAY_MS,
      endsAt: at + DAY_MS,
    };
    await ends.addSignIn(signIn);
    const ended: string[] = [];
    const watch = (name: string, caller: WatchedCaller) =>
      auth.onCredentialEnd(caller, () => ended.push(name));
    const byKey = { kind: "key" as const, id: record.id, keyHash };
    watch("key", { principal: { ...ANN, userId: "bob" }, credential: byKey });
    watch("sign-in", { principal: ANN, credential: signIn.credential, signInId: signIn.id });
    watch("token", token("t"));
    watch("token of the user", token("u"));
    await auth.firstLook();
    const revocations = createRevocations({
      store: ends.revocations,
      audit: auditOf(ends),
      now,
    });
    const told = (names: string[]) => vi.waitFor(() => expect(ended).toEqual(names));

    await ends.removeSignIn(signIn);
    await told(["sign-in"]);
    await apiKeys.revoke(record.id);
    await told(["sign-in", "key"]);
    await revocations.revoke("acme", { tokenId: "t", expiresAt: null }, COMMAND_ACTOR);
    await told(["sign-in", "key", "token"]);
    await revocations.revoke("acme", { user: "ann" }, COMMAND_ACTOR);
    await told(["sign-in", "key", "token", "token of the user"]);
  });
});

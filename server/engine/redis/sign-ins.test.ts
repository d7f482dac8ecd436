import { expect, inject, onTestFinished, test } from "vitest";
import type { SignIn } from "#shared/sign-in.ts";
import { openTestEngine } from "#test/redis/engine.fixture.ts";
import { startRedis } from "#test/redis/server.fixture.ts";

const HOUR_MS = 60 * 60_000;

test("[P10] each key of sign-ins expires with the last that it holds, however they are used", async () => {
  const redis = await startRedis(inject("redisServer"));
  onTestFinished(() => redis.close());
  const engine = await openTestEngine(redis.url);
  const now = Date.now();
  const hers: SignIn = {
    id: "first",
    principal: { userId: "ann", tenantId: "acme", scopes: [] },
    credential: { kind: "token", id: null },
    madeAt: now,
    usedAt: now,
    expiresAt: now + 9 * HOUR_MS,
    endsAt: now + HOUR_MS,
  };
  await engine.addSignIn(hers);
  await engine.renewSignIn({ ...hers, endsAt: now + 3 * HOUR_MS });
  await engine.addSignIn({ ...hers, id: "second", endsAt: now + 2 * HOUR_MS });
  await engine.addSignIn({ ...hers, id: "third" });
  await engine.removeSignIn({ ...hers, id: "third" });
  const keys = (await redis.client.keys("*sign-in*")).toSorted();
  const ends = await Promise.all(keys.map((key) => redis.client.pexpiretime(key)));
  expect(Object.fromEntries(keys.map((key, index) => [key, ends[index]]))).toEqual({
    "jobwire:sign-in:first": now + 3 * HOUR_MS,
    "jobwire:sign-in:second": now + 2 * HOUR_MS,
    "jobwire:{acme}:owner:ann:sign-ins": now + 3 * HOUR_MS,
  });
});

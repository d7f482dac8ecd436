import { expect, inject, onTestFinished, test } from "vitest";
import { createKeys } from "./keys.ts";
import { createScripts } from "./scripts.ts";
import { createTenantDirectory } from "./tenant-directory.ts";
import { startRedis } from "#test/redis/server.fixture.ts";

test("reachable tenants answer although others fail; if all fail, the call rejects", async () => {
  const redis = await startRedis(inject("redisServer"));
  onTestFinished(() => redis.close());
  const tenants = createTenantDirectory(
    redis.client,
    createScripts(redis.client),
    createKeys("jobwire"),
  );
  const all = Array.from({ length: 120 }, (_, index) => `tenant-${index}`);
  for (const tenant of all) await tenants.note(tenant, [`job-of-${tenant}`]);

  const away = new Set(all.filter((_, index) => index % 3 === 0));
  const ask = async (tenant: string) => {
    if (away.has(tenant)) throw new Error("Its node is away.");
    return [tenant];
  };
  const rest = all.filter((tenant) => !away.has(tenant));
  expect((await tenants.ofAll(ask)).toSorted()).toEqual(rest.toSorted());
  for (const tenant of rest) away.add(tenant);
  await expect(tenants.ofAll(ask)).rejects.toThrow("Its node is away.");
});

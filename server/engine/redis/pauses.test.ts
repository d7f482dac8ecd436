/** The cost of claims while kinds are paused, and what several processes and lost data make of pauses. */
import { expect, test, vi } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { at, newBatch, newJob } from "#test/engine/builders.ts";
import { advanceTime } from "#test/redis/advance-time.ts";
import { countCommands } from "#test/redis/count-commands.ts";
import { useRedis } from "#test/redis/engine.fixture.ts";

const { redis, open } = useRedis();
const LEASE_MS = 60_000;
const PAUSE = { at: at(0), note: "", by: { user: "op", via: "key" } } as const;
const RING = "jobwire:{:turns}";

async function take(engine: Engine, max: number): Promise<string[]> {
  const claims = await engine.claim({ worker: "w", max, leaseMs: LEASE_MS, now: new Date() });
  return claims.map(({ jobId }) => jobId);
}

async function create(engine: Engine, tenant: string, kind: string, count = 1): Promise<void> {
  const { batch, jobs } = newBatch(count, { tenant });
  await engine.createBatch(
    batch,
    jobs.map((job) => ({ ...job, kind })),
    new Date(),
  );
}

test("[O9] a claim sends as many commands however many tenants have nothing but paused kinds", async () => {
  const engine = await open({ checkEveryMs: 3_600_000 });
  const { client } = redis();
  const idle = () => countCommands(client, async () => expect(await take(engine, 2)).toEqual([]));
  const busy = async () => {
    for (let n = 0; n < 3; n += 1) await create(engine, "z", "report", 2);
    return countCommands(client, async () => expect(await take(engine, 2)).toHaveLength(2));
  };
  await engine.pauses.set({ ...PAUSE, kind: "article" });
  await engine.pauses.set({ ...PAUSE, tenant: "z", kind: "image" });
  for (const kind of ["article", "image"]) await create(engine, "z", kind);
  await busy();
  const before = [await idle(), await busy()];
  for (let n = 0; n < 60; n += 1) {
    await create(engine, `tenant ${n}`, "article", 5);
    await create(engine, `other ${n}`, "image", 5);
  }
  expect(await take(engine, 300)).toHaveLength(300);
  for (let n = 0; n < 60; n += 1) {
    await engine.pauses.set({ ...PAUSE, tenant: `other ${n}`, kind: "image" });
    await create(engine, `other ${n}`, "image", 5);
  }
  await create(engine, "z", "image", 100);
  // The leases of paused jobs end too, and each tenant is looked at once.
  await advanceTime(redis(), "jobwire", 2 * LEASE_MS);
  while ((await take(engine, 500)).length > 0);
  const after = [await idle(), await busy()];
  expect(after[0]).toBe(before[0]);
  // The ring may give a turn to one tenant more. For each tenant there would be hundreds.
  expect(after[1]).toBeLessThanOrEqual((before[1] ?? 0) * 1.25);
}, 60_000);

test("[O6] a job that a process gave up for a paused kind is found by a claim that was under way as the pause ended", async () => {
  const [engine, other] = [await open({ checkEveryMs: 3_600_000 }), await open()];
  await create(engine, "a", "article");
  const [id] = await take(engine, 1);
  await engine.pauses.set({ ...PAUSE, kind: "article" });
  await advanceTime(redis(), "jobwire", 2 * LEASE_MS);
  const given: string[] = [];
  await Promise.all([
    take(engine, 1).then((jobs) => given.push(...jobs)),
    other.pauses.remove({ kind: "article" }),
  ]);
  await vi.waitFor(async () => {
    given.push(...(await take(engine, 1)));
    expect(given).toEqual([id]);
  });
  expect(await redis().client.exists(`${RING}:held`)).toBe(0);
});

test("[O5] a ring that was lost has the places of no paused kind, and skips what it skipped", async () => {
  const engine = await open({ checkEveryMs: 3_600_000 });
  const { client } = redis();
  await create(engine, "a", "article", 2);
  await take(engine, 1);
  await engine.pauses.set({ ...PAUSE, tenant: "a", kind: "article" });
  await advanceTime(redis(), "jobwire", 2 * LEASE_MS);
  const ring = await client.keys(`${RING}:*`);
  const lost = ring.filter((key) => !/:(?:pauses|paused)$/.test(key));
  expect(lost.length).toBeGreaterThan(0);
  for (const key of lost) await client.del(key);
  const again = await open();
  await create(again, "a", "report");
  expect(await take(again, 5)).toHaveLength(1);
  expect(await take(again, 5)).toEqual([]);
  await again.pauses.remove({ tenant: "a", kind: "article" });
  const given: string[] = [];
  await vi.waitFor(async () => {
    given.push(...(await take(again, 5)));
    expect(given).toHaveLength(2);
  });
  expect(await take(again, 5)).toEqual([]);
});

test("[O5] a job of a paused kind that was created as its pause was set, or ended, is where it belongs", async () => {
  const [engine, other] = [await open({ checkEveryMs: 3_600_000 }), await open()];
  let made = 0;
  const given = new Set<string>();
  for (const scope of [{ kind: "article" }, { tenant: "a", kind: "article" }]) {
    for (let round = 0; round < 10; round += 1) {
      await Promise.all([
        engine.createJob(newJob({ tenant: "a" }), new Date()),
        other.pauses.set({ ...PAUSE, ...scope }),
      ]);
      expect(await take(engine, 5)).toEqual([]);
      await Promise.all([
        engine.createJob(newJob({ tenant: "a" }), new Date()),
        other.pauses.remove(scope),
      ]);
      made += 2;
      await vi.waitFor(async () => {
        for (const id of await take(engine, 5)) given.add(id);
        expect(given.size).toBe(made);
      });
    }
  }
});

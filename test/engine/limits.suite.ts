/** Limits of kinds: how many jobs run and start, which are skipped meanwhile, and why a job waits. */
import { describe, expect, vi } from "vitest";
import type { Claim, Engine } from "#server/engine/contract.ts";
import { type KindLimits, MAX_COUNTED_AHEAD } from "#server/engine/kind-limits.ts";
import { MAX_LIMIT_KEY_CHARS } from "#shared/limits.ts";
import { at, claimOne, codeOf, DELIVER, newBatch, newJob, release, START } from "./builders.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";

const MINUTE = 60_000;
const LEASE_MS = 600 * MINUTE;

function claim(engine: Engine, max: number, article?: KindLimits): Promise<Claim[]> {
  const limits = new Map(article === undefined ? [] : [["article", article]]);
  return engine.claim({ worker: "w1", max, leaseMs: LEASE_MS, now: at(0), limits });
}

function claimKind(engine: Engine, kind: string, of: KindLimits): Promise<Claim[]> {
  const limits = new Map([[kind, of]]);
  return engine.claim({ worker: "w1", max: 9, leaseMs: LEASE_MS, now: at(0), limits });
}

/** Claims of one job each, whose order is exact on every engine. */
async function titles(engine: Engine, most: number, article?: KindLimits): Promise<string[]> {
  const given: string[] = [];
  while (given.length < most) {
    const [next] = await claim(engine, 1, article);
    if (next === undefined) break;
    given.push(next.job.title);
  }
  return given;
}

async function create(engine: Engine, title: string, of: Parameters<typeof newJob>[0] = {}) {
  return engine.createJob(newJob({ title, ...of }), at(0));
}

export function limitsSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("concurrency of a kind", () => {
    const TWO: KindLimits = { concurrency: 2 };

    test("[Q5] counts the running jobs of all tenants, and only those of the kind", async ({
      engine,
    }) => {
      for (const tenant of ["a", "b", "c"]) await create(engine, `of ${tenant}`, { tenant });
      await create(engine, "other kind", { tenant: "a", kind: "report" });
      expect(await titles(engine, 9, TWO)).toEqual(["of a", "of b", "other kind"]);
      expect(await claim(engine, 9, TWO)).toEqual([]);
    });

    test("[Q5] is kept within a claim, and by claims at the same moment", async ({ engine }) => {
      const { batch, jobs } = newBatch(30);
      await engine.createBatch(batch, jobs, at(0));
      const five: KindLimits = { concurrency: 5 };
      const claims = await Promise.all(Array.from({ length: 8 }, () => claim(engine, 3, five)));
      await vi.waitFor(async () => {
        claims.push(await claim(engine, 9, five));
        expect(claims.flat()).toHaveLength(5);
      });
      expect(await claim(engine, 9, five)).toEqual([]);
    });

    test("[Q5] a job counts until it settles or is given back, from whichever side that comes", async ({
      engine,
    }) => {
      const one: KindLimits = { concurrency: 1 };
      for (const title of ["1", "2", "3", "4", "5"]) await create(engine, title);
      const ends = [
        (held: Claim) => engine.change(held.jobId, DELIVER, at(1), held),
        (held: Claim) => engine.change(held.jobId, release(MINUTE), at(1), held),
        (held: Claim) => engine.change(held.jobId, { action: "cancel" } as const, at(1)),
      ];
      for (const [n, end] of ends.entries()) {
        const [held] = await claim(engine, 9, one);
        if (held === undefined) throw new Error("No job was given.");
        expect(held.job.title).toBe(`${n + 1}`);
        expect(await claim(engine, 9, one)).toEqual([]);
        await engine.change(held.jobId, START, at(1), held);
        expect(await claim(engine, 9, one)).toEqual([]);
        await end(held);
      }
      expect(await titles(engine, 9, one)).toEqual(["4"]);
    });

    test("[Q5] a job whose lease ended still counts, and is given again whatever the limit", async ({
      data,
      engine,
    }) => {
      const one: KindLimits = { concurrency: 1 };
      for (const title of ["1", "2"]) await create(engine, title);
      const request = { worker: "w", max: 1, leaseMs: 1000, now: at(0) };
      const [first] = await engine.claim({ ...request, limits: new Map([["article", one]]) });
      await data.pass(1000);
      const [again] = await claim(engine, 9, one);
      expect(again?.jobId).toBe(first?.jobId);
      expect(await claim(engine, 9, one)).toEqual([]);
      await engine.change(again?.jobId ?? "", { action: "cancel" }, at(1));
      expect(await titles(engine, 9, one)).toEqual(["2"]);
    });

    test("[Q5] what runs is counted by the next process too", async ({ data, engine }) => {
      const one: KindLimits = { concurrency: 1, perKey: { concurrency: 1 } };
      for (const title of ["1", "2"]) await create(engine, title, { key: "k" });
      const [first] = await claim(engine, 1, one);
      await engine.close();
      const next = await data.open();
      await data.pass(LEASE_MS);
      expect((await claim(next, 9, one)).map(({ jobId }) => jobId)).toEqual([first?.jobId]);
      expect(await claim(next, 9, one)).toEqual([]);
    });

    test("[Q5] is that of the program that claims, so a deploy changes it", async ({ engine }) => {
      for (const title of ["1", "2", "3", "4", "5"]) await create(engine, title, { key: "k" });
      expect(await titles(engine, 9, { concurrency: 1 })).toEqual(["1"]);
      expect(await titles(engine, 9, { concurrency: 3, perKey: { concurrency: 2 } })).toEqual([
        "2",
      ]);
      expect(await titles(engine, 9, { perKey: { concurrency: 3 } })).toEqual(["3"]);
      expect(await titles(engine, 9, { perKey: { concurrency: 1 } })).toEqual([]);
      expect(await titles(engine, 9)).toEqual(["4", "5"]);
    });
  });

  describe("concurrency of a key", () => {
    const ONE: KindLimits = { perKey: { concurrency: 1 } };

    test("[Q5] counts the jobs of a tenant, kind and key, and concerns no job without a key", async ({
      engine,
    }) => {
      await create(engine, "k1", { key: "k" });
      await create(engine, "k2", { key: "k" });
      await create(engine, "other key", { key: "" });
      await create(engine, "no key 1");
      await create(engine, "no key 2");
      await create(engine, "other kind", { key: "k", kind: "report" });
      await create(engine, "other tenant", { key: "k", tenant: "b" });
      const given = await titles(engine, 9, ONE);
      expect(given.toSorted()).toEqual(
        ["k1", "no key 1", "no key 2", "other key", "other kind", "other tenant"].toSorted(),
      );
      expect(given.filter((title) => title !== "other tenant")).toEqual([
        "k1",
        "other key",
        "no key 1",
        "no key 2",
        "other kind",
      ]);
    });

    test("[Q5] is kept together with that of the kind", async ({ engine }) => {
      const both: KindLimits = { concurrency: 3, perKey: { concurrency: 2 } };
      for (const key of ["x", "x", "x", "y", "y", "y"]) await create(engine, key, { key });
      expect(await titles(engine, 9, both)).toEqual(["x", "x", "y"]);
    });

    test("[Q5] concerns the jobs of a batch, each by its own key", async ({ engine }) => {
      const { batch, jobs } = newBatch(4);
      const keyed = jobs.map((job, n) => ({ ...job, title: `${n}`, key: `${n % 2}` }));
      await engine.createBatch(batch, keyed, at(0));
      expect(await titles(engine, 9, ONE)).toEqual(["0", "1"]);
    });

    test("[Q5] a key that is no well-formed text, or too long, is refused, and nothing is stored", async ({
      engine,
    }) => {
      const longest = "k".repeat(MAX_LIMIT_KEY_CHARS);
      for (const key of [`${longest}k`, "\ud800", 5 as unknown as string]) {
        const job = newJob({ key });
        expect(await codeOf(engine.createJob(job, at(0)))).toBe("BAD_REQUEST");
        const { batch, jobs } = newBatch(2);
        const [first = job, second = job] = jobs;
        const fresh = [first, { ...second, key }];
        expect(await codeOf(engine.createBatch(batch, fresh, at(0)))).toBe("BAD_REQUEST");
      }
      expect((await engine.listJobs({ tenant: "acme", limit: 9 })).items).toEqual([]);
      const job = await engine.createJob(newJob({ key: longest }), at(0));
      expect(job).not.toHaveProperty("key");
      expect(await engine.getJob(job.id)).toEqual(job);
    });

    test("[Q5] keys with any characters are different keys", async ({ engine }) => {
      const keys = ["", "a", "a:b", ":a", "A", "ä", "a\u0000", "a\u0000b", "{a}", "*", "🌱", "～"];
      for (const key of [...keys, ...keys]) await create(engine, key, { key });
      expect(await titles(engine, 99, ONE)).toEqual(keys);
    });
  });

  describe("rates", () => {
    /** Two at once, and then one in ten minutes. */
    const RATE = { limit: 2, perMs: 20 * MINUTE };

    test("[Q5] of a kind let as many start at once as the limit is, and then one after the other", async ({
      data,
      engine,
    }) => {
      for (const tenant of ["a", "b", "c", "d", "e", "f"]) await create(engine, tenant, { tenant });
      expect(await titles(engine, 9, { rate: RATE })).toEqual(["a", "b"]);
      await data.pass(9 * MINUTE);
      expect(await titles(engine, 9, { rate: RATE })).toEqual([]);
      await data.pass(MINUTE);
      expect(await titles(engine, 9, { rate: RATE })).toEqual(["c"]);
      await data.pass(60 * MINUTE);
      // A pause gives no more than the limit.
      expect(await titles(engine, 9, { rate: RATE })).toEqual(["d", "e"]);
    });

    test("[Q5] of a key count within a tenant", async ({ data, engine }) => {
      const of = { perKey: { rate: { limit: 1, perMs: 10 * MINUTE } } };
      for (const key of ["x", "x", "y", undefined, undefined]) {
        await create(engine, key ?? "none", { key });
      }
      expect(await titles(engine, 9, of)).toEqual(["x", "y", "none", "none"]);
      await data.pass(10 * MINUTE);
      expect(await titles(engine, 9, of)).toEqual(["x"]);
    });

    test("[Q5] count each attempt, and no job whose lease ended", async ({ data, engine }) => {
      await create(engine, "1");
      await create(engine, "2");
      const request = { worker: "w", max: 1, leaseMs: 1000, now: at(0) };
      const limits = new Map([["article", { rate: RATE }]]);
      const [first] = await engine.claim({ ...request, limits });
      await data.pass(1000);
      const [again] = await engine.claim({ ...request, limits, leaseMs: LEASE_MS });
      expect(again?.jobId).toBe(first?.jobId);
      if (again === undefined) throw new Error("The job was not given again.");
      await engine.change(again.jobId, START, at(0), again);
      await engine.change(again.jobId, release(0, false), at(0), again);
      expect(await titles(engine, 9, { rate: RATE })).toEqual(["1"]);
      expect(await titles(engine, 9, { rate: RATE })).toEqual([]);
    });

    test("[Q5] are kept by claims at the same moment", async ({ engine }) => {
      const { batch, jobs } = newBatch(30);
      await engine.createBatch(batch, jobs, at(0));
      const rate = { limit: 4, perMs: 60 * MINUTE };
      const claims = await Promise.all(Array.from({ length: 8 }, () => claim(engine, 3, { rate })));
      await vi.waitFor(async () => {
        claims.push(await claim(engine, 9, { rate }));
        expect(claims.flat()).toHaveLength(4);
      });
    });
  });

  describe("jobs that are held back", () => {
    const ONE: KindLimits = { concurrency: 1 };

    test("[Q6] are skipped, for jobs of other kinds, keys and tenants", async ({ engine }) => {
      const keyed: KindLimits = { perKey: { concurrency: 1 } };
      for (const title of ["x1", "x2", "x3"]) await create(engine, title, { key: "x" });
      await create(engine, "y1", { key: "y" });
      await create(engine, "other kind", { kind: "report" });
      expect(await titles(engine, 9, keyed)).toEqual(["x1", "y1", "other kind"]);
    });

    test("[Q6] keep their rank: the first one of those that waited is next", async ({
      data,
      engine,
    }) => {
      for (const title of ["1", "2", "3"]) {
        await create(engine, title);
        await data.pass(MINUTE);
      }
      const [held] = await claim(engine, 1, ONE);
      expect(await claim(engine, 9, ONE)).toEqual([]);
      await engine.change(held?.jobId ?? "", { action: "cancel" }, at(0));
      await create(engine, "urgent", { priority: 9 });
      expect(await titles(engine, 9, ONE)).toEqual(["urgent"]);
      expect(await titles(engine, 9)).toEqual(["2", "3"]);
    });

    test("[Q6] leave their tenant its turn, with one turn of credit at most", async ({
      engine,
    }) => {
      const all = async (kind: string, tenant: string, count: number) => {
        for (let n = 0; n < count; n += 1) await create(engine, tenant, { kind, tenant });
      };
      await create(engine, "runs", { tenant: "z" });
      await titles(engine, 1, ONE);
      await all("article", "x", 9);
      await all("report", "b", 9);
      await all("report", "c", 20);
      // Eight turns, in which the jobs of x are held back.
      expect((await titles(engine, 8, ONE)).join(" ")).toBe("b c b c b c b c");
      // Then they are not: after one more, b and c take turns with it again.
      expect((await titles(engine, 8)).join(" ")).toBe("x x b c x b c x");
    });

    test("[Q6] a tenant that has but such jobs loses its turn when the last one is cancelled", async ({
      engine,
    }) => {
      await create(engine, "runs", { tenant: "z" });
      await titles(engine, 1, ONE);
      const held = await create(engine, "held", { tenant: "a" });
      for (let n = 0; n < 6; n += 1) await create(engine, "b", { tenant: "b", kind: "report" });
      expect(await titles(engine, 4, ONE)).toEqual(["b", "b", "b", "b"]);
      await engine.change(held.id, { action: "cancel" }, at(0));
      for (let n = 0; n < 3; n += 1) await create(engine, "a", { tenant: "a", kind: "report" });
      expect((await titles(engine, 5, ONE)).join(" ")).toMatch(/^(a b a b a|b a b a a)$/);
    });

    test("[Q6] onWork tells when a running one ended", async ({ engine }) => {
      for (const [n, of] of [ONE, { perKey: { concurrency: 1 } }].entries()) {
        const kind = `counted ${n}`;
        for (const title of ["1", "2"]) await create(engine, title, { kind, key: "k" });
        const held = await claimKind(engine, kind, of);
        expect(held.map(({ job }) => job.title)).toEqual(["1"]);
        expect(await claimKind(engine, kind, of)).toEqual([]);
        const work = vi.fn<() => void>();
        const end = engine.onWork(work);
        for (const each of held) {
          await engine.change(each.jobId, START, at(0), each);
          await engine.change(each.jobId, DELIVER, at(0), each);
        }
        await vi.waitFor(() => expect(work).toHaveBeenCalled());
        await vi.waitFor(async () => expect(await claimKind(engine, kind, of)).toHaveLength(1));
        end();
      }
    });

    test("[Q6] onWork tells when the time of a rate came", async ({ data, engine }) => {
      const rate = { limit: 1, perMs: 100 };
      for (const [n, of] of [{ rate }, { perKey: { rate } }].entries()) {
        const kind = `rated ${n}`;
        await create(engine, "1", { kind, key: "k" });
        const take = async () => (await claimKind(engine, kind, of)).map(({ job }) => job.title);
        expect(await take()).toEqual(["1"]);
        const called = Promise.withResolvers<void>();
        let title = 1;
        // The hint that it was queued came, and was in vain. On a slow machine the time of the rate may have come meanwhile.
        do await create(engine, `${(title += 1)}`, { kind, key: "k" });
        while ((await take()).length > 0);
        engine.onWork(() => called.resolve());
        await data.pass(100);
        await called.promise;
        await vi.waitFor(async () => expect(await take()).toEqual([`${title}`]));
      }
    });
  });

  describe("why a job waits", () => {
    const LIMITS: KindLimits = {
      concurrency: 2,
      rate: { limit: 3, perMs: 30 * MINUTE },
      perKey: { concurrency: 1, rate: { limit: 1, perMs: 60 * MINUTE } },
    };

    test("[Q7] what is before it, what runs, and how long the rates hold it back", async ({
      engine,
    }) => {
      const jobs = [];
      for (const key of ["x", "x", "x", "y", undefined])
        jobs.push(await create(engine, "", { key }));
      const [, second, third, , keyless] = jobs.map(({ id }) => id);
      const [given] = await claim(engine, 1, LIMITS);
      expect(given?.jobId).toBe(jobs[0]?.id);
      const one = { key: "x", startsInMs: null, ahead: 0, running: { kind: 1, key: 1 } };
      expect(await engine.waiting(second ?? "", LIMITS)).toMatchObject(one);
      expect(await engine.waiting(third ?? "", LIMITS)).toMatchObject({ ...one, ahead: 1 });
      const { rateInMs } = (await engine.waiting(third ?? "", LIMITS)) ?? {};
      expect(rateInMs?.kind).toBe(0);
      expect(rateInMs?.key).toBeGreaterThan(59 * MINUTE);
      expect(rateInMs?.key).toBeLessThanOrEqual(60 * MINUTE);
      expect(await engine.waiting(keyless ?? "", LIMITS)).toEqual({
        key: null,
        startsInMs: null,
        ahead: 0,
        running: { kind: 1, key: null },
        rateInMs: { kind: 0, key: null },
      });
      // Without limits there is no rate.
      expect((await engine.waiting(third ?? ""))?.rateInMs).toEqual({ kind: 0, key: 0 });
    });

    test("[Q7] a delayed job says how long; one that is held or settled, or is not there, does not wait", async ({
      data,
      engine,
    }) => {
      await create(engine, "");
      const held = await claimOne(engine, at(0));
      expect(await engine.waiting(held.jobId)).toBeUndefined();
      await engine.change(held.jobId, START, at(0), held);
      expect(await engine.waiting(held.jobId)).toBeUndefined();
      await engine.change(held.jobId, release(10 * MINUTE), at(0), held);
      await data.pass(4 * MINUTE);
      const waits = await engine.waiting(held.jobId);
      expect(waits).toMatchObject({ ahead: 0, running: { kind: 0, key: null } });
      expect(waits?.startsInMs).toBeGreaterThan(5 * MINUTE);
      expect(waits?.startsInMs).toBeLessThanOrEqual(6 * MINUTE);
      await engine.change(held.jobId, { action: "cancel" }, at(0));
      expect(await engine.waiting(held.jobId)).toBeUndefined();
      expect(await engine.waiting(newJob().id)).toBeUndefined();
    });

    test("[Q7] counts no more jobs before it than a bound", async ({ engine }) => {
      const { batch, jobs } = newBatch(MAX_COUNTED_AHEAD + 3);
      await engine.createBatch(batch, jobs, at(0));
      const ahead = async (n: number) => (await engine.waiting(jobs[n]?.id ?? ""))?.ahead;
      expect(await ahead(7)).toBe(7);
      expect(await ahead(MAX_COUNTED_AHEAD - 1)).toBe(MAX_COUNTED_AHEAD - 1);
      expect(await ahead(MAX_COUNTED_AHEAD + 2)).toBe(MAX_COUNTED_AHEAD);
    });
  });
}

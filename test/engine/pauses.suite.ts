/** Pauses, and that claims obey them. */
import { describe, expect, vi } from "vitest";
import type { Claim, Engine } from "#server/engine/contract.ts";
import { MAX_PAUSED_KINDS, MAX_PAUSES } from "#shared/limits.ts";
import { isPausedBy, type Pause, type PauseScope } from "#shared/pause.ts";
import { at, codeOf, LEASE_MS, newBatch, newJob, release, startedJob, STEP } from "./builders.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";

const ALL: Pause = { at: at(0), note: "The provider is down", by: { user: "op", via: "key" } };

const SCOPES: PauseScope[] = [
  {},
  { tenant: "acme" },
  { kind: "article" },
  { tenant: "acme", kind: "article" },
];
const PLACES = ["acme", "other"].flatMap((tenant) =>
  ["article", "report"].map((kind) => ({ tenant, kind })),
);

function ordersOf<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, n) =>
    ordersOf(items.toSpliced(n, 1)).map((others) => [item, ...others]),
  );
}

const OTHER = { job: { tenant: "other" } };

function claim(engine: Engine, max = 10): Promise<Claim[]> {
  return engine.claim({ worker: "w", max, leaseMs: LEASE_MS, now: at(1) });
}

async function queueFor(engine: Engine, tenant: string, count: number): Promise<void> {
  const { batch, jobs } = newBatch(count, { tenant });
  await engine.createBatch(batch, jobs, at(0));
}

async function tenantsOf(engine: Engine, max: number): Promise<string> {
  return (await claim(engine, max)).map(({ job }) => job.tenant).join(" ");
}

function queueOf(engine: Engine, tenant: string, kind: string): Promise<unknown> {
  return engine.createJob(newJob({ tenant, kind }), at(0));
}

async function namesOf(engine: Engine): Promise<string[]> {
  return (await claim(engine)).map(({ job }) => `${job.tenant} ${job.kind}`);
}

const byText = (one: string, other: string) => (one < other ? -1 : 1);

export function pausesSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("pauses", () => {
    test("[O5] while everything is paused a claim gives nothing, and changes go on", async ({
      engine,
    }) => {
      const held = await startedJob(engine, at(0));
      await engine.createJob(newJob(), at(0));
      expect(await engine.pauses.set(ALL)).toBeUndefined();
      const { id } = await engine.createJob(newJob({ tenant: "other" }), at(0));
      expect(await claim(engine)).toEqual([]);
      expect(await engine.renew([held], LEASE_MS, at(1))).toEqual([]);
      await engine.change(held.jobId, STEP, at(1), held);
      await engine.change(held.jobId, release(), at(1), held);
      await engine.change(id, { action: "cancel" }, at(1));
      expect(await claim(engine)).toEqual([]);
      expect(await engine.pauses.remove({})).toEqual(ALL);
      await vi.waitFor(async () => expect(await claim(engine, 1)).toHaveLength(1));
      await vi.waitFor(async () => expect(await claim(engine, 1)).toHaveLength(1));
      expect(await claim(engine)).toEqual([]);
    });

    test("[O6] a job whose lease ended, and one whose delay did, wait until all is resumed", async ({
      data,
      engine,
    }) => {
      const [died, delayed] = [await startedJob(engine, at(0)), await startedJob(engine, at(0))];
      await engine.change(delayed.jobId, release(1000), at(0), delayed);
      await engine.pauses.set(ALL);
      await data.pass(2 * LEASE_MS);
      expect(await claim(engine)).toEqual([]);
      await engine.pauses.remove({});
      const given: Claim[] = [];
      await vi.waitFor(async () => {
        given.push(...(await claim(engine)));
        expect(given).toHaveLength(2);
      });
      expect(given.map(({ jobId }) => jobId)).toEqual([died.jobId, delayed.jobId]);
      expect(given[0]?.job.status).toBe("PROCESSING");
    });

    test("[O6] the end of the pause is told to those who wait for work", async ({ engine }) => {
      await engine.pauses.set(ALL);
      await engine.createJob(newJob(), at(0));
      const work = vi.fn<() => void>();
      engine.onWork(work);
      expect(await claim(engine)).toEqual([]);
      await engine.pauses.set({ ...ALL, kind: "k" });
      await engine.pauses.remove({ kind: "k" });
      await vi.waitFor(() => expect(work).toHaveBeenCalled());
      expect(await claim(engine)).toEqual([]);
      work.mockClear();
      await engine.pauses.remove({});
      await vi.waitFor(() => expect(work).toHaveBeenCalled());
      expect(await claim(engine)).toHaveLength(1);
    });

    test("[O5] pauses are there when the data are opened again, and by those that have them open", async ({
      data,
      engine,
    }) => {
      const { id } = await engine.createJob(newJob(), at(0));
      await engine.pauses.set(ALL);
      const other = subject.capabilities.multiProcess ? await data.open() : engine;
      expect(await claim(other)).toEqual([]);
      await engine.close();
      const again = await data.open();
      expect(await again.pauses.list()).toEqual([ALL]);
      expect(await claim(again)).toEqual([]);
      await again.pauses.remove({});
      await vi.waitFor(async () => expect(await claim(again)).toMatchObject([{ jobId: id }]));
    });

    test("[O5] a paused tenant's jobs wait, those of others do not, and the pause earns no turns", async ({
      data,
      engine,
    }) => {
      const lost = await startedJob(engine, at(0));
      const delayed = await startedJob(engine, at(0));
      await engine.createJob(newJob({ tenant: "acme" }), at(0));
      expect(await engine.pauses.set({ ...ALL, tenant: "acme" })).toBeUndefined();
      await engine.change(delayed.jobId, release(1000), at(0), delayed);
      await data.pass(2 * LEASE_MS);
      await queueFor(engine, "acme", 2);
      await queueFor(engine, "other", 8);
      expect(await tenantsOf(engine, 4)).toBe("other other other other");
      await engine.pauses.remove({ tenant: "acme" });
      const given: Claim[] = [];
      await vi.waitFor(async () => {
        given.push(...(await claim(engine, 1)));
        expect(given).toHaveLength(9);
      });
      expect(given[0]?.jobId).toBe(lost.jobId);
      expect(given.map(({ job }) => job.tenant).join(" ")).toBe(`acme${" acme other".repeat(4)}`);
    });

    test("[O5] a tenant can be paused before it has jobs, and beside many others", async ({
      data,
      engine,
    }) => {
      for (let n = 0; n < 20; n++) {
        await engine.pauses.set({ ...ALL, tenant: `paused-${n}` });
        await queueFor(engine, `paused-${n}`, 2);
      }
      expect(await tenantsOf(engine, 9)).toBe("");
      await engine.close();
      const again = await data.open();
      expect(await tenantsOf(again, 9)).toBe("");
      await again.pauses.set({ ...ALL, tenant: "other", kind: "another kind" });
      await queueFor(again, "other", 2);
      await queueFor(again, "paused-8", 1);
      expect(await tenantsOf(again, 9)).toBe("other other");
      await again.pauses.remove({ tenant: "paused-7" });
      expect(await tenantsOf(again, 9)).toBe("paused-7 paused-7");
      expect(await tenantsOf(again, 9)).toBe("");
    });

    test("[O5] [Q5] what is paused takes nothing of the limits of its kind, and resumes within them", async ({
      data,
      engine,
    }) => {
      const rate = { limit: 3, perMs: 60_000 };
      const limits = new Map([["article", { concurrency: 2, rate, perKey: { concurrency: 1 } }]]);
      const next = () =>
        engine.claim({ worker: "w", max: 9, leaseMs: 2 * rate.perMs, now: at(1), limits });
      await engine.pauses.set({ ...ALL, tenant: "acme" });
      await engine.createJob(newJob({ tenant: "acme", key: "k" }), at(0));
      await queueFor(engine, "acme", 4);
      await queueFor(engine, "other", 4);
      const [first, second, ...others] = await next();
      expect([first, second].map((given) => given?.job.tenant)).toEqual(["other", "other"]);
      expect(others).toEqual([]);
      await engine.change(first?.jobId ?? "", { action: "cancel" }, at(1));
      await vi.waitFor(async () => expect(await next()).toMatchObject([OTHER]));
      await engine.change(second?.jobId ?? "", { action: "cancel" }, at(1));
      expect(await next()).toEqual([]);
      await engine.pauses.remove({ tenant: "acme" });
      expect(await next()).toEqual([]);
      await data.pass(rate.perMs / rate.limit);
      await vi.waitFor(async () =>
        expect(await next()).toMatchObject([{ job: { tenant: "acme" } }]),
      );
      expect(await next()).toEqual([]);
    });

    test("[O5] a paused kind waits, of all tenants or of one, and other kinds of the same tenants do not", async ({
      engine,
    }) => {
      await engine.pauses.set({ ...ALL, kind: "mail" });
      await engine.pauses.set({ ...ALL, tenant: "acme", kind: "report" });
      for (const tenant of ["acme", "other"]) {
        for (const kind of ["mail", "report", "image"]) await queueOf(engine, tenant, kind);
      }
      expect(await namesOf(engine)).toEqual(["acme image", "other report", "other image"]);
      await engine.pauses.remove({ tenant: "acme", kind: "report" });
      await vi.waitFor(async () => expect(await namesOf(engine)).toEqual(["acme report"]));
      await engine.pauses.remove({ kind: "mail" });
      const given: string[] = [];
      await vi.waitFor(async () => {
        given.push(...(await namesOf(engine)));
        expect(given).toEqual(["acme mail", "other mail"]);
      });
    });

    test("[O5] of overlapping pauses each keeps its jobs, in whatever order they end", async ({
      engine,
    }) => {
      for (const order of ordersOf(SCOPES)) {
        const jobs = PLACES.map((place) => newJob(place));
        for (const job of jobs) await engine.createJob(job, at(0));
        for (const scope of order.toReversed()) await engine.pauses.set({ ...ALL, ...scope });
        const given = new Set<string>();
        for (const n of order.keys()) {
          const left = order.slice(n);
          for (const { jobId } of await claim(engine, 9)) given.add(jobId);
          const free = jobs.filter(
            ({ tenant, kind }) => !left.some((s) => isPausedBy(s, { tenant, kind })),
          );
          expect([...given].toSorted()).toEqual(free.map(({ id }) => id).toSorted());
          await engine.pauses.remove(order[n] as PauseScope);
        }
        for (const { jobId } of await claim(engine, 9)) given.add(jobId);
        expect(given.size).toBe(jobs.length);
      }
    });

    test("[O6] of the jobs whose leases ended, those wait that any pause concerns, and no other", async ({
      data,
      engine,
    }) => {
      const lost = await startedJob(engine, at(0));
      for (let n = 0; n < 3; n += 1) await engine.createJob(newJob({ kind: "report" }), at(0));
      expect(await claim(engine)).toHaveLength(3);
      await engine.pauses.set({ ...ALL, kind: "article" });
      await data.pass(2 * LEASE_MS);
      // Each claim has room for one of those that are not paused.
      for (let n = 0; n < 3; n += 1) {
        expect(await claim(engine, 1)).toMatchObject([{ job: { kind: "report" } }]);
      }
      expect(await claim(engine)).toEqual([]);
      await engine.pauses.set({ ...ALL, tenant: "acme" });
      await engine.pauses.remove({ kind: "article" });
      expect(await claim(engine)).toEqual([]);
      await engine.pauses.remove({ tenant: "acme" });
      await vi.waitFor(async () =>
        expect(await claim(engine)).toMatchObject([{ jobId: lost.jobId }]),
      );
    });

    test("[O6] of a paused kind, jobs whose lease ended or whose delay did wait for its end, and it is told", async ({
      data,
      engine,
    }) => {
      const [mail, report] = [{ kind: "mail" }, { kind: "report" }];
      const died = await startedJob(engine, at(0), mail);
      const other = await startedJob(engine, at(0), report);
      const delayed = await startedJob(engine, at(0), mail);
      await engine.change(delayed.jobId, release(1000), at(0), delayed);
      for (const scope of [mail, { ...mail, tenant: "acme" }]) {
        await engine.pauses.set({ ...ALL, ...scope });
        await data.pass(2 * LEASE_MS);
        await vi.waitFor(async () => {
          const [first] = await claim(engine);
          expect(first?.jobId).toBe(other.jobId);
        });
        expect(await claim(engine)).toEqual([]);
        const work = vi.fn<() => void>();
        const stop = engine.onWork(work);
        await vi.waitFor(async () => expect(await claim(engine)).toEqual([]));
        work.mockClear();
        await engine.pauses.remove(scope);
        await vi.waitFor(() => expect(work).toHaveBeenCalled());
        stop();
        const given: Claim[] = [];
        await vi.waitFor(async () => {
          given.push(...(await claim(engine)));
          expect(given).toHaveLength(2);
        });
        expect(given.map(({ jobId }) => jobId).toSorted(byText)).toEqual(
          [died.jobId, delayed.jobId].toSorted(byText),
        );
      }
    });

    test("[O6] a job of a paused kind whose lease ended is given at once then, also where nothing else waits", async ({
      data,
      engine,
    }) => {
      const { jobId } = await startedJob(engine, at(0), { kind: "mail" });
      for (const scope of [{ kind: "mail" }, { kind: "mail", tenant: "acme" }]) {
        await engine.pauses.set({ ...ALL, ...scope });
        await data.pass(2 * LEASE_MS);
        for (let n = 0; n < 3; n += 1) expect(await claim(engine)).toEqual([]);
        await engine.pauses.remove(scope);
        expect(await claim(engine)).toMatchObject([{ jobId }]);
      }
    });

    test("[O9] what is paused costs its tenants no turns, and takes nothing of the limits of other kinds", async ({
      engine,
    }) => {
      await engine.pauses.set({ ...ALL, kind: "mail" });
      for (let n = 0; n < 4; n += 1) {
        await queueOf(engine, "acme", "mail");
        for (const tenant of ["acme", "other"]) await queueOf(engine, tenant, "report");
      }
      const limits = new Map([["mail", { concurrency: 1, rate: { limit: 1, perMs: 60_000 } }]]);
      const given = await engine.claim({
        worker: "w",
        max: 20,
        leaseMs: LEASE_MS,
        now: at(1),
        limits,
      });
      expect(given.map(({ job }) => job.tenant).join(" ")).toBe("acme other ".repeat(4).trim());
      await engine.pauses.remove({ kind: "mail" });
      await vi.waitFor(async () => {
        const next = await engine.claim({
          worker: "w",
          max: 20,
          leaseMs: LEASE_MS,
          now: at(1),
          limits,
        });
        expect(next.map(({ job }) => job.kind)).toEqual(["mail"]);
      });
    });

    test("[O5] a scope may have any names, and is there when the data are opened again", async ({
      data,
      engine,
    }) => {
      const names = ["__proto__", "constructor", "a:b *", "a\nb", '"', "🌱", "*", "x".repeat(100)];
      for (const kind of names) {
        await engine.pauses.set({ ...ALL, kind });
        await engine.pauses.set({ ...ALL, kind, tenant: kind });
      }
      await engine.close();
      const again = await data.open();
      await queueOf(again, "acme", "mail");
      await queueOf(again, "acme", "constructor");
      await queueOf(again, "__proto__", "__proto__");
      expect(await namesOf(again)).toEqual(["acme mail"]);
      for (const kind of names) {
        expect(await again.pauses.remove({ kind })).toMatchObject({ kind });
      }
      await vi.waitFor(async () => expect(await namesOf(again)).toEqual(["acme constructor"]));
      for (const kind of names) await again.pauses.remove({ kind, tenant: kind });
      await vi.waitFor(async () => expect(await namesOf(again)).toEqual(["__proto__ __proto__"]));
    });

    test("[J22] a job of a paused kind expires as another does", async ({ data, engine }) => {
      await engine.pauses.set({ ...ALL, kind: "mail" });
      const { id } = await engine.createJob(newJob({ kind: "mail", expiresInMs: 1000 }), at(0));
      await data.pass(2000);
      await vi.waitFor(async () => {
        await claim(engine);
        expect(await engine.getSummary(id)).toMatchObject({ status: "ABORTED" });
      });
    });

    test("[O9] there are MAX_PAUSED_KINDS of a tenant, and of all, at most", async ({ engine }) => {
      for (const of of [{}, { tenant: "acme" }]) {
        const set = (n: number) => engine.pauses.set({ ...ALL, ...of, kind: `k${n}` });
        await Promise.all(Array.from({ length: MAX_PAUSED_KINDS }, (_, n) => set(n)));
        expect(await codeOf(set(MAX_PAUSED_KINDS))).toBe("BAD_REQUEST");
        expect(await set(0)).toMatchObject({ kind: "k0" });
        await engine.pauses.remove({ ...of, kind: "k0" });
        expect(await set(MAX_PAUSED_KINDS)).toBeUndefined();
        expect(await engine.pauses.set({ ...ALL, ...of })).toBeUndefined();
      }
    });

    test("one that is there stays as it is, and each scope has its own", async ({ engine }) => {
      const scopes = [{}, { kind: "b" }, { tenant: "a b" }, { tenant: "a b", kind: "b" }];
      const pauses = scopes.map((scope, n) => ({ ...ALL, ...scope, note: `${n}`, at: at(n) }));
      for (const pause of pauses.toReversed()) {
        expect(await engine.pauses.set(pause)).toBeUndefined();
      }
      for (const pause of pauses) {
        expect(await engine.pauses.set({ ...pause, note: "again" })).toEqual(pause);
      }
      expect(await engine.pauses.list()).toEqual(pauses);
      expect(await engine.pauses.remove({ tenant: "a b" })).toEqual(pauses[2]);
      expect(await engine.pauses.remove({ tenant: "a b" })).toBeUndefined();
      expect(await engine.pauses.list()).toEqual(pauses.toSpliced(2, 1));
    });

    test("there are MAX_PAUSES at most", async ({ engine }) => {
      const scopes = Array.from({ length: MAX_PAUSES }, (_, n) => ({ tenant: `${n}` }));
      await Promise.all(scopes.map((scope) => engine.pauses.set({ ...ALL, ...scope })));
      expect(await codeOf(engine.pauses.set(ALL))).toBe("BAD_REQUEST");
      await engine.pauses.remove({ tenant: "7" });
      expect(await engine.pauses.set(ALL)).toBeUndefined();
    });
  });
}

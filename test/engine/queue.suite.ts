/** Whom a claim gives a job: turns of tenants, and the order of each tenant's jobs. */
import fc from "fast-check";
import { describe, expect } from "vitest";
import type { Claim, Engine } from "#server/engine/contract.ts";
import type { NewJob } from "#shared/lifecycle.ts";
import { timesOf } from "#test/long-run.ts";
import { at, claimOne, codeOf, newBatch, newJob, release, START } from "./builders.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";
import { limitsOfKinds, queueCommand, QueueModelRun } from "./queue-model-run.ts";

const MINUTE = 60_000;
const COMMANDS = fc.array(queueCommand, { minLength: 20, maxLength: 80, size: "max" });

function claim(engine: Engine, max: number): Promise<Claim[]> {
  return engine.claim({ worker: "w1", max, leaseMs: 60 * MINUTE, now: at(0) });
}

async function tenantsOf(engine: Engine, max: number): Promise<string> {
  return (await claim(engine, max)).map(({ job }) => job.tenant).join(" ");
}

async function titlesOf(engine: Engine, max: number): Promise<string[]> {
  return (await claim(engine, max)).map(({ job }) => job.title);
}

async function queueFor(engine: Engine, tenant: string, count: number): Promise<void> {
  const { batch, jobs } = newBatch(count, { tenant });
  await engine.createBatch(batch, jobs, at(0));
}

export function queueSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("turns of tenants", () => {
    test("[Q1] tenants take turns, in the order of their names at first, however much each queued", async ({
      engine,
    }) => {
      await queueFor(engine, "many", 20);
      await queueFor(engine, "few", 2);
      await queueFor(engine, "one", 1);
      expect(await tenantsOf(engine, 9)).toBe("few many one few many many many many many");
      expect(await tenantsOf(engine, 3)).toBe("many many many");
    });

    test("[Q1] small claims and large ones take the same turns", async ({ engine }) => {
      await queueFor(engine, "a", 6);
      await queueFor(engine, "b", 6);
      await queueFor(engine, "c", 6);
      const given: string[] = [];
      for (const max of [1, 1, 2, 5, 1, 4, 3, 9]) given.push(await tenantsOf(engine, max));
      expect(given.join(" ").trim()).toBe(Array(6).fill("a b c").join(" "));
    });

    test("[Q1] a batch delays the first job of another tenant by one job", async ({ engine }) => {
      await queueFor(engine, "a", 300);
      await claim(engine, 100);
      await queueFor(engine, "b", 1);
      expect(await tenantsOf(engine, 3)).toBe("a b a");
    });

    test("[Q1] a tenant that was idle gets no turns for the time in which it had no work", async ({
      engine,
    }) => {
      await queueFor(engine, "b", 1);
      await queueFor(engine, "a", 40);
      await claim(engine, 20);
      await queueFor(engine, "b", 20);
      expect(await tenantsOf(engine, 7)).toBe("a b a b a b a");
    });

    test("[Q1] a tenant that empties and refills takes every second turn, not each", async ({
      engine,
    }) => {
      await queueFor(engine, "z", 20);
      const given: string[] = [];
      for (let round = 0; round < 10; round += 1) {
        if (given.at(-1) !== "z") await queueFor(engine, "a", 1);
        given.push(await tenantsOf(engine, 1));
      }
      expect(given.join(" ")).toBe("a z a z a z a z a z");
    });

    test("[Q1] a tenant whose last job was cancelled loses its turn, and enters anew", async ({
      engine,
    }) => {
      const cancelled = newJob({ tenant: "b" });
      await queueFor(engine, "a", 9);
      await engine.createJob(cancelled, at(0));
      await engine.change(cancelled.id, { action: "cancel" }, at(0));
      expect(await tenantsOf(engine, 5)).toBe("a a a a a");
      await queueFor(engine, "b", 2);
      expect(await tenantsOf(engine, 4)).toBe("a b a b");
    });

    test("[Q1] weights say how many jobs of a tenant come for one of another", async ({
      engine,
    }) => {
      for (const tenant of ["single", "double", "triple"]) await queueFor(engine, tenant, 40);
      const given = (await tenantsOf(engine, 36)).split(" ");
      const count = (tenant: string) => given.filter((each) => each === tenant).length;
      expect(["single", "double", "triple"].map(count)).toEqual([6, 12, 18]);
      // None waits for longer than a whole turn.
      expect(given.slice(0, 6)).toContain("single");
      expect(given.slice(6, 12)).toContain("single");
    });

    test("[Q1] ties are resolved by the bytes of names", async ({ engine }) => {
      for (const tenant of ["🌱", "～", "b", "B", "ä"]) await queueFor(engine, tenant, 2);
      expect(await tenantsOf(engine, 10)).toBe("B b ä ～ 🌱 B b ä ～ 🌱");
    });

    test("[Q1] a job that was started and given back without a claim has one place", async ({
      engine,
    }) => {
      const job = newJob({ tenant: "a" });
      await engine.createJob(job, at(0));
      await engine.change(job.id, START, at(0));
      await engine.change(job.id, release(), at(0));
      await queueFor(engine, "b", 3);
      expect(await tenantsOf(engine, 3)).toBe("a b b");
    });

    test("[Q1] a job whose lease ended comes first, and takes no turn", async ({
      data,
      engine,
    }) => {
      await queueFor(engine, "b", 3);
      const [lost] = await engine.claim({ worker: "w", max: 1, leaseMs: 1000, now: at(0) });
      await queueFor(engine, "a", 3);
      await data.pass(1000);
      const given = await claim(engine, 5);
      expect(given[0]?.jobId).toBe(lost?.jobId);
      expect(given.map(({ job }) => job.tenant).join(" ")).toBe("b a b a b");
    });

    // Where processes share the data, jobs that wait do not move.
    test.runIf(!subject.capabilities.multiProcess)(
      "[Q1] jobs that are given to another tenant wait in the turns of that one",
      async ({ engine }) => {
        await queueFor(engine, "a", 3);
        await queueFor(engine, "c", 3);
        for (let moved = 1; moved > 0;) {
          const from = { tenant: "a", owner: "ann" };
          ({ moved } = await engine.assign(from, { tenant: "b", owner: "ben" }, 2));
        }
        expect(await tenantsOf(engine, 9)).toMatch(/^(b c b c b c|c b c b c b)$/);
      },
    );
  });

  describe("the order of a tenant's jobs", () => {
    test("[Q2] those of higher priority come first, ties in the order of creation", async ({
      engine,
    }) => {
      for (const [n, priority] of [0, 5, 9, undefined, 5].entries()) {
        await engine.createJob(newJob({ title: `${n}`, priority }), at(0));
      }
      const { batch, jobs } = newBatch(2);
      const prior = jobs.map((job, n) => ({ ...job, title: `of batch ${n}`, priority: 9 * n }));
      await engine.createBatch(batch, prior, at(0));
      expect(await titlesOf(engine, 3)).toEqual(["2", "of batch 1", "1"]);
      expect(await titlesOf(engine, 9)).toEqual(["4", "0", "3", "of batch 0"]);
    });

    test("[Q2] a job that waited for ten minutes comes before a new one of the next level", async ({
      data,
      engine,
    }) => {
      await engine.createJob(newJob({ title: "old" }), at(0));
      await data.pass(4 * MINUTE);
      await engine.createJob(newJob({ title: "middle" }), at(0));
      await data.pass(7 * MINUTE);
      await engine.createJob(newJob({ title: "urgent", priority: 1 }), at(0));
      expect(await titlesOf(engine, 9)).toEqual(["old", "urgent", "middle"]);
    });

    test("[Q2] kinds and keys of jobs make no difference", async ({ engine }) => {
      const create = (title: string, of: Partial<NewJob> = {}) =>
        engine.createJob(newJob({ title, ...of }), at(0));
      await create("1");
      await create("2", { kind: "report" });
      await create("3");
      await create("4", { key: "k" });
      await create("5");
      expect(await titlesOf(engine, 1)).toEqual(["1"]);
      await create("urgent", { priority: 1 });
      expect(await titlesOf(engine, 1)).toEqual(["urgent"]);
      await create("most urgent", { priority: 2, key: "k" });
      expect(await titlesOf(engine, 9)).toEqual(["most urgent", "2", "3", "4", "5"]);
    });

    test("[Q2] priority counts within a tenant alone", async ({ engine }) => {
      await engine.createJob(newJob({ tenant: "b", priority: 9 }), at(0));
      await queueFor(engine, "a", 2);
      expect(await tenantsOf(engine, 3)).toBe("a b a");
    });

    test("[Q2] a job that is queued again keeps its priority, and loses its place", async ({
      data,
      engine,
    }) => {
      const [urgent, plain] = [
        newJob({ title: "urgent", priority: 1 }),
        newJob({ title: "plain" }),
      ];
      await engine.createJob(plain, at(0));
      const held = await claimOne(engine, at(0));
      await engine.createJob(urgent, at(0));
      const taken = await claimOne(engine, at(0));
      for (const each of [held, taken]) await engine.change(each.jobId, START, at(0), each);
      await data.pass(MINUTE);
      await engine.createJob(newJob({ title: "waits" }), at(0));
      await data.pass(MINUTE);
      await engine.change(plain.id, release(), at(0), held);
      await engine.change(urgent.id, { action: "cancel" }, at(0));
      await engine.change(urgent.id, { action: "retry" }, at(0));
      expect(await titlesOf(engine, 9)).toEqual(["urgent", "waits", "plain"]);
    });

    test("[Q2] a job that is given back through no fault of its own keeps its rank", async ({
      data,
      engine,
    }) => {
      for (const title of ["stopped", "failed"]) {
        await engine.createJob(newJob({ title }), at(0));
        await data.pass(MINUTE);
      }
      const [stopped, failed] = await claim(engine, 2);
      await engine.createJob(newJob({ title: "waits" }), at(0));
      await data.pass(MINUTE);
      for (const [held, counts] of [
        [failed, true],
        [stopped, false],
      ] as const) {
        if (held === undefined) throw new Error("The job was not given.");
        await engine.change(held.jobId, START, at(0), held);
        await engine.change(held.jobId, release(0, counts), at(0), held);
      }
      expect(await titlesOf(engine, 9)).toEqual(["stopped", "waits", "failed"]);
    });

    test("[Q2] a delayed job is ranked by the end of its delay", async ({ data, engine }) => {
      await engine.createJob(newJob({ title: "delayed" }), at(0));
      const held = await claimOne(engine, at(0));
      await engine.change(held.jobId, START, at(0), held);
      await engine.change(held.jobId, release(10 * MINUTE), at(0), held);
      await data.pass(5 * MINUTE);
      await engine.createJob(newJob({ title: "before its end" }), at(0));
      await data.pass(7 * MINUTE);
      await engine.createJob(newJob({ title: "after its end" }), at(0));
      expect(await titlesOf(engine, 9)).toEqual(["before its end", "delayed", "after its end"]);
    });

    test("[Q2] a priority that is no whole number from 0 to 9 is refused, and nothing is stored", async ({
      engine,
    }) => {
      for (const priority of [-1, 10, 0.5, Number.NaN, "5" as unknown as number]) {
        const job = newJob({ priority });
        expect(await codeOf(engine.createJob(job, at(0)))).toBe("BAD_REQUEST");
        const { batch, jobs } = newBatch(2);
        const [first = job, second = job] = jobs;
        const fresh = [first, { ...second, priority }];
        expect(await codeOf(engine.createBatch(batch, fresh, at(0)))).toBe("BAD_REQUEST");
      }
      expect((await engine.listJobs({ tenant: "acme", limit: 9 })).items).toEqual([]);
      expect(await claim(engine, 9)).toEqual([]);
    });
  });

  describe("the queue and the records", () => {
    test("[Q3] what was stored can be claimed at once, by the next process too", async ({
      data,
      engine,
    }) => {
      await queueFor(engine, "a", 2);
      await engine.createJob(newJob({ tenant: "b", title: "single" }), at(0));
      expect(await tenantsOf(engine, 1)).toBe("a");
      await engine.close();
      const next = await data.open();
      expect((await claim(next, 9)).map(({ job }) => job.tenant).toSorted()).toEqual(
        subject.capabilities.multiProcess ? ["a", "b"] : ["a", "a", "b"],
      );
    });

    test("[Q1] [Q2] [Q3] [Q5] [Q6] [Q7] whatever is done, each claim gives what the model of the contract gives", async () => {
      let given = 0;
      const story = fc.asyncProperty(COMMANDS, limitsOfKinds, async (commands, limits) => {
        const data = await subject.prepare();
        const run = new QueueModelRun(await data.open(), data, limits);
        try {
          for (const each of commands) await run.step(each);
          await run.drain();
          given += run.given;
        } finally {
          await run.engine.close();
          await data.destroy();
        }
      });
      // A slow machine runs fewer cases, and shrinking a failure stops at the same time limit.
      await fc.assert(story, { numRuns: timesOf(10, 100), interruptAfterTimeLimit: 90_000 });
      expect(given).toBeGreaterThan(20);
    }, 120_000);
  });
}

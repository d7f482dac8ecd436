/** Claims of some jobs alone: by kind, and of one tenant. The model of `queue.suite.ts` has their order. */
import { describe, expect, vi } from "vitest";
import type { Engine, Wanted } from "#server/engine/contract.ts";
import { at, LEASE_MS, newJob, startedJob } from "./builders.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";

function claim(engine: Engine, wanted: Wanted, max = 10) {
  return engine.claim({ worker: "w", max, leaseMs: LEASE_MS, now: at(0), wanted });
}

async function titlesOf(engine: Engine, wanted: Wanted, max?: number): Promise<string> {
  return (await claim(engine, wanted, max)).map(({ job }) => job.title).join(" ");
}

export function wantedSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("what a claim wants", () => {
    test("[G1] [G2] a claim gives ready jobs of its kinds and its tenant alone, in the order of the queue", async ({
      engine,
    }) => {
      for (const tenant of ["b", "a"]) {
        for (const kind of ["mail", "image", "mail"]) {
          await engine.createJob(newJob({ tenant, kind, title: `${tenant}:${kind}` }), at(0));
        }
      }
      const mail = new Set(["mail"]);
      expect(await titlesOf(engine, { only: new Set(["sound"]) })).toBe("");
      expect(await titlesOf(engine, { only: mail, tenant: "c" })).toBe("");
      expect(await titlesOf(engine, { only: mail, tenant: "b" }, 1)).toBe("b:mail");
      expect(await titlesOf(engine, { except: mail })).toBe("a:image b:image");
      expect(await titlesOf(engine, { only: mail })).toBe("a:mail a:mail b:mail");
    });

    test("[G2] a job whose lease ended is given, whatever is wanted", async ({ data, engine }) => {
      const { jobId } = await startedJob(engine, at(0));
      await data.pass(2 * LEASE_MS);
      const given = await claim(engine, { only: new Set(["sound"]), tenant: "other" });
      expect(given).toMatchObject([{ jobId, job: { status: "PROCESSING" } }]);
    });

    test("[G2] one who wants a kind hears of its first job, though others wait already", async ({
      engine,
    }) => {
      const only = new Set(["mail"]);
      await engine.createJob(newJob({ kind: "image" }), at(0));
      const work = vi.fn<() => void>();
      engine.onWork(work);
      await vi.waitFor(async () => expect(await claim(engine, { only })).toEqual([]));
      work.mockClear();
      await engine.createJob(newJob({ kind: "mail" }), at(0));
      await vi.waitFor(() => expect(work).toHaveBeenCalled());
      expect(await claim(engine, { only })).toHaveLength(1);
    });
  });
}

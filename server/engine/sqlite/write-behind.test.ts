/** What shares a transaction must be as if each had one of its own: progress is written behind, and nobody can tell. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Claim, Engine } from "#server/engine/contract.ts";
import { at, logOf, newBatch, START } from "#server/engine/suites/material.ts";
import { openSqliteEngine } from "./open.ts";

const JOBS = 3;
const job = fc.nat({ max: JOBS - 1 });
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant("progress" as const), job }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constantFrom("stale", "backwards", "cancel", "draft", "deliver", "retry"),
      job,
    }),
  },
);

async function prepare() {
  const dataDir = mkdtempSync(join(tmpdir(), "jobwire-behind-"));
  const engine = await openSqliteEngine({ dataDir });
  const { batch, jobs } = newBatch(JOBS);
  await engine.createBatch(batch, jobs, at(0));
  const claims = await engine.claim({ worker: "w", max: JOBS, leaseMs: 60_000, now: at(1) });
  for (const claim of claims) await engine.change(claim.jobId, START, at(1), claim);
  const byId = new Map(claims.map((claim) => [claim.jobId, claim]));
  const inOrder = jobs.map(({ id }) => byId.get(id) as Claim);
  return {
    engine,
    owner: { tenant: batch.tenant, owner: batch.owner },
    batchId: batch.id,
    claims: inOrder,
    async close() {
      await engine.close();
      rmSync(dataDir, { recursive: true });
    },
  };
}

function run(engine: Engine, claim: Claim, what: string, n: number): Promise<unknown> {
  const { jobId } = claim;
  const report = { action: "progress" as const, progress: Math.min(n + 1, 99), message: `${n}` };
  switch (what) {
    case "stale":
      return engine.change(jobId, report, at(n), { jobId, token: claim.token + 1 });
    case "backwards":
      return engine.change(jobId, { ...report, progress: -5 }, at(n), claim);
    case "cancel":
      return engine.change(jobId, { action: "cancel" }, at(n));
    case "retry":
      return engine.change(jobId, { action: "retry" }, at(n));
    case "deliver":
      return engine.change(jobId, { action: "deliver", message: "done", output: {} }, at(n), claim);
    case "draft":
      return engine.appendDraft(claim, `piece ${n} `);
    default:
      return engine.change(jobId, report, at(n), claim);
  }
}

test("many commands in one transaction leave what they leave one after the other", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 2, maxLength: 25 }), async (commands) => {
      const [together, apart] = [await prepare(), await prepare()];
      try {
        const outcomes = await Promise.allSettled(
          commands.map(({ what, job: at }, n) =>
            run(together.engine, together.claims[at] as Claim, what, n),
          ),
        );
        for (const [n, { what, job: at }] of commands.entries()) {
          const one = run(apart.engine, apart.claims[at] as Claim, what, n);
          const [outcome] = await Promise.allSettled([one]);
          expect(outcomes[n]?.status).toBe(outcome.status);
        }
        const found = await Promise.all(
          [together, apart].map(async ({ engine, owner, batchId, claims }) => {
            const place = new Map(claims.map(({ jobId }, index) => [jobId, index]));
            const feed = await engine.readFeed(owner, 0, 100);
            return {
              head: feed.head,
              feed: feed.changes.map(({ rev, job }) => [rev, place.get(job.id), job.version]),
              counts: (await engine.getBatch(batchId))?.counts,
              jobs: await Promise.all(
                claims.map(async ({ jobId }) => {
                  const record = await engine.getSummary(jobId);
                  const log = await logOf(engine, jobId);
                  return {
                    record: { ...record, id: "", batchId: "" },
                    log: log.map((event) => ({ ...event, jobId: "" })),
                  };
                }),
              ),
            };
          }),
        );
        expect(found[0]).toEqual(found[1]);
      } finally {
        await Promise.all([together.close(), apart.close()]);
      }
    }),
    { numRuns: 40 },
  );
});

/** Commands that share a transaction leave the same data as one transaction each: writing behind is never visible. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Claim, Engine } from "#server/engine/contract.ts";
import type { AppError } from "#shared/errors.ts";
import { at, logOf, newBatch, START } from "#test/engine/builders.ts";
import { openSqliteEngine } from "./open.ts";
import { timesOf } from "#test/long-run.ts";

const JOBS = 2;
const START_OF_CLOCK = at(0).getTime();
const job = fc.nat({ max: JOBS - 1 });
const OFTEN = ["progress", "progress", "release", "start"] as const;
const SELDOM = [
  "stale",
  "backwards",
  "cancel",
  "retry",
  "deliver",
  "unstorable",
  "block",
  "regenerate",
  "draft",
] as const;
const command = fc.record({
  what: fc.oneof(fc.constantFrom(...OFTEN), fc.constantFrom(...SELDOM)),
  job,
});

async function prepare() {
  const dataDir = mkdtempSync(join(tmpdir(), "jobwire-behind-"));
  // No two commands have the same time. A real clock gives it to those that share a transaction, but not to the others.
  let now = START_OF_CLOCK;
  const engine = await openSqliteEngine({ dataDir, clock: () => now++ });
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
    case "regenerate":
      return engine.change(jobId, { action: what }, at(n));
    case "start":
      return engine.change(jobId, { action: "start", progress: 7, message: `start ${n}` }, at(n));
    case "release":
      return engine.change(
        jobId,
        { action: "release", message: `released ${n}`, delayMs: 1000, counts: true },
        at(n),
        claim,
      );
    case "block":
      return engine.change(jobId, { action: "block", message: "why", output: [n] }, at(n), claim);
    case "unstorable":
      return engine.change(jobId, { action: "deliver", message: "big", output: 1n }, at(n), claim);
    case "deliver":
      return engine.change(jobId, { action: "deliver", message: "done", output: {} }, at(n), claim);
    case "draft":
      return engine.appendDraft(claim, `piece ${n} `);
    default:
      return engine.change(jobId, report, at(n), claim);
  }
}

type World = Awaited<ReturnType<typeof prepare>>;

/** Everything that a caller can read. */
async function found({ engine, owner, batchId, claims }: World) {
  const place = new Map(claims.map(({ jobId }, index) => [jobId, index]));
  const feed = await engine.readFeed(owner, 0, 100);
  const due = await engine.claim({ worker: "w", max: JOBS, leaseMs: 1, now: at(1000) });
  return {
    head: feed.head,
    feed: feed.changes.map(({ rev, job }) => [rev, place.get(job.id), job.version]),
    batch: { ...(await engine.getBatch(batchId)), id: "" },
    due: due.map(({ jobId, token }) => [place.get(jobId), token]),
    jobs: await Promise.all(
      claims.map(async ({ jobId }) => {
        const record = await engine.getJob(jobId);
        const log = await logOf(engine, jobId);
        return {
          record: { ...record, id: "", batchId: "" },
          log: log.map((event) => ({ ...event, jobId: "" })),
        };
      }),
    ),
  };
}

test("commands in one transaction leave the same data as one after the other", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 2, maxLength: 12 }), async (commands) => {
      const worlds = [await prepare(), await prepare(), await prepare()] as const;
      const [apart, together, accepted] = worlds;
      const give = ({ engine, claims }: World, n: number) => {
        const { what, job: at } = commands[n] as (typeof commands)[number];
        return run(engine, claims[at] as Claim, what, n).then(
          () => "accepted",
          (error: AppError) => error.code,
        );
      };
      try {
        const outcomes: string[] = [];
        for (const n of commands.keys()) outcomes.push(await give(apart, n));
        const all = [...commands.keys()];
        expect(await Promise.all(all.map((n) => give(together, n)))).toEqual(outcomes);
        // A refusal makes a transaction begin again, with savepoints. So once without any.
        const good = all.filter((n) => outcomes[n] === "accepted");
        await Promise.all(good.map((n) => give(accepted, n)));
        const expected = await found(apart);
        expect(await found(together)).toEqual(expected);
        expect(await found(accepted)).toEqual(expected);
      } finally {
        for (const world of worlds) await world.close();
      }
    }),
    { numRuns: timesOf(25, 100) },
  );
});

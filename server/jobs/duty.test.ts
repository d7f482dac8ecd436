/** Workers that are watched, drained and paused. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createPauses } from "#server/auth/pauses.ts";
import { createWorkers, type Workers } from "#server/auth/workers.ts";
import { COMMAND_ACTOR, INSTANCE_LIST } from "#shared/audit.ts";
import { MAX_WORKER_JOBS } from "#shared/worker.ts";
import { auditOf } from "#test/engine/audit.ts";
import { DONE, eventually, openJobsFixture, type JobsFixture } from "#test/jobs/jobs.fixture.ts";

const ID = "runner 1";

let fixture: JobsFixture;
let letGo: (() => void)[];
beforeEach(async () => {
  fixture = await openJobsFixture();
  letGo = [];
  fixture.run = async () => {
    await new Promise<void>((resolve) => letGo.push(resolve));
    return DONE;
  };
});
afterEach(async () => {
  for (const go of letGo) go();
  await fixture.close();
});

const end = () => letGo.splice(0).forEach((go) => go());
const runs = (count: number) => eventually(() => expect(letGo).toHaveLength(count));
const inLog = (text: string) => fixture.noted.filter(({ msg }) => msg.includes(text)).length;

function workers(): Workers {
  const { engine, now } = fixture;
  return createWorkers({
    store: engine.workers,
    pauses: engine.pauses,
    audit: auditOf(engine, now),
  });
}

async function stateIs(state: string): Promise<void> {
  await eventually(async () => {
    expect((await workers().list({ limit: 9 })).items).toMatchObject([{ id: ID, state }]);
  });
}

test("[O1] a worker tells who it is and what it runs, and is gone within two heartbeats", async () => {
  const told = vi.spyOn(fixture.engine.workers, "announce");
  const every = vi.fn<(ms: number, beat: () => void) => () => void>(() => () => undefined);
  const runner = fixture.startRunner({
    timer: { after: () => () => undefined, every, hold: () => undefined },
    leaseMs: 30_000,
  });
  const jobId = await fixture.create();
  await runs(1);
  every.mock.calls[0]?.[1]();
  await eventually(async () => {
    const { items } = await workers().list({ limit: 9 });
    expect(items).toEqual([
      {
        id: ID,
        name: "here",
        host: "machine",
        pid: 1,
        version: "1.2.3",
        kinds: ["work"],
        kindCount: 1,
        slots: 5,
        startedAt: fixture.now(),
        state: "running",
        running: 1,
        jobs: [{ id: jobId, kind: "work", tenant: "local", attempt: 1, since: fixture.now() }],
      },
    ]);
  });
  const [ms = 0] = every.mock.calls[0] ?? [];
  expect(told.mock.lastCall?.[1]).toBe(2 * ms);
  end();
  await runner.stop(1000);
  expect((await workers().list({ limit: 9 })).items).toEqual([]);
  const [last] = told.mock.lastCall ?? [];
  expect([last?.state, told.mock.lastCall?.[1]]).toEqual(["stopping", 0]);
});

test("[O2] of many jobs and kinds those that run for the longest time are shown, and the numbers of all", async () => {
  const kinds = new Map(Array.from({ length: 150 }, (_, n) => [`kind${n}`, {} as never] as const));
  const runner = fixture.startRunner({ concurrency: 2 * MAX_WORKER_JOBS });
  fixture.startRunner({ concurrency: 0, kinds });
  const first = await fixture.create();
  await runs(1);
  for (let n = 1; n < 2 * MAX_WORKER_JOBS; n++) await fixture.create();
  await runs(2 * MAX_WORKER_JOBS);
  const { running, jobs } = runner.describe();
  expect([running, jobs.length, jobs[0]?.id]).toEqual([
    2 * MAX_WORKER_JOBS,
    MAX_WORKER_JOBS,
    first,
  ]);
  const other = await fixture.engine.workers.get("runner 2");
  expect([other?.kinds.length, other?.kindCount, other?.kinds[99]]).toEqual([100, 150, "kind99"]);
});

test("[O4] a drained worker finishes what it runs, starts nothing, says when it is empty, and starts again", async () => {
  fixture.startRunner({ concurrency: 2 });
  const running = await fixture.create();
  await runs(1);
  expect(await workers().drain(ID, COMMAND_ACTOR)).toMatchObject({ state: "draining" });
  await eventually(() => expect(inLog("starts no more jobs")).toBe(1));
  const waiting = await fixture.create();
  // The runner looks every ten milliseconds.
  await eventually(async () => {
    expect(await fixture.engine.workers.get(ID)).toMatchObject({ state: "draining", running: 1 });
  });
  expect(letGo).toHaveLength(1);
  end();
  await fixture.reaches(running, "DELIVERED");
  await stateIs("drained");
  expect(inLog("is drained")).toBe(1);
  expect((await fixture.job(waiting)).status).toBe("PENDING");
  expect(await workers().resume(ID, COMMAND_ACTOR)).toMatchObject({ state: "running" });
  await runs(1);
  await stateIs("running");
  end();
  await fixture.reaches(waiting, "DELIVERED");
});

test("[O4] an idle worker is drained at once, and another one takes its jobs", async () => {
  const first = fixture.startRunner();
  await eventually(async () => expect(await fixture.engine.workers.count()).toBe(1));
  await workers().drain(ID, COMMAND_ACTOR);
  await stateIs("drained");
  const jobId = await fixture.create();
  const second = fixture.startRunner();
  await runs(1);
  expect([first.running(), second.running()]).toEqual([0, 1]);
  end();
  await fixture.reaches(jobId, "DELIVERED");
  expect(await first.stop(0)).toEqual({ finished: 0, givenBack: 0 });
});

test("[O4] [J10] a worker that drains is stopped as any other", async () => {
  const runner = fixture.startRunner();
  const jobId = await fixture.create();
  await runs(1);
  await workers().drain(ID, COMMAND_ACTOR);
  await stateIs("draining");
  const stopped = runner.stop(0);
  await eventually(async () => expect((await fixture.job(jobId)).status).toBe("PENDING"));
  expect(await stopped).toEqual({ finished: 0, givenBack: 1 });
});

test("[O5] a paused worker runs what it has, starts nothing, and starts again when all is resumed", async () => {
  const { engine, now } = fixture;
  const pauses = createPauses({ store: engine.pauses, audit: auditOf(engine, now), now });
  const runner = fixture.startRunner({ pollMs: 3_600_000 });
  const running = await fixture.create();
  await runs(1);
  await pauses.set({ note: "The provider is down" }, COMMAND_ACTOR);
  const waiting = await fixture.create();
  end();
  await fixture.reaches(running, "DELIVERED");
  await eventually(() => expect(runner.running()).toBe(0));
  await stateIs("paused");
  expect((await fixture.job(waiting)).status).toBe("PENDING");
  await pauses.remove({}, COMMAND_ACTOR);
  await runs(1);
  await stateIs("running");
});

test("[O7] each drain, pause and end of one has an entry, once", async () => {
  const { engine, now } = fixture;
  const audit = auditOf(engine, now);
  const pauses = createPauses({ store: engine.pauses, audit, now });
  fixture.startRunner();
  await eventually(async () => expect(await engine.workers.count()).toBe(1));
  await workers().resume(ID, COMMAND_ACTOR);
  for (let n = 0; n < 2; n++) await workers().drain(ID, COMMAND_ACTOR);
  for (let n = 0; n < 2; n++) await workers().resume(ID, COMMAND_ACTOR);
  await expect(workers().drain("gone", COMMAND_ACTOR)).rejects.toMatchObject({ code: "NOT_FOUND" });
  for (let n = 0; n < 2; n++) await pauses.set({ note: `${n}` }, COMMAND_ACTOR);
  await pauses.remove({}, COMMAND_ACTOR);
  await expect(pauses.remove({}, COMMAND_ACTOR)).rejects.toMatchObject({ code: "NOT_FOUND" });
  const { items } = await audit.list({ tenant: INSTANCE_LIST, limit: 99 });
  expect(items.map(({ action, target }) => [action, target])).toEqual([
    ["pause.remove", "everything"],
    ["pause.set", "everything"],
    ["worker.resume", ID],
    ["worker.drain", ID],
  ]);
  fixture.advance(1000);
  expect(await engine.audit.prune(now(), 99)).toBe(4);
});

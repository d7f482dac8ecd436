/** A large batch whose process dies, or whose answers are lost, at any of its steps: it is stored whole, or not at all. */
import { expect, onTestFinished, test, vi } from "vitest";
import type { Engine, NewBatch } from "#server/engine/contract.ts";
import type { NewJob } from "#shared/lifecycle.ts";
import { ANN, at, BOB, codeOf, newBatch, newJob, START } from "#test/engine/builders.ts";
import { openTestEngine, useRedis } from "#test/redis/engine.fixture.ts";
import { openNetwork } from "#test/redis/network.fixture.ts";
import { createKeys } from "./keys.ts";
import { createScripts } from "./scripts.ts";
import { STEP } from "./staged-batches.ts";

const JOBS = 3 * STEP + 1;
const ALL = 2 * JOBS;

const { redis, open } = useRedis();
const keys = createKeys("jobwire");
const tenant = keys.tenant(ANN.tenant);
const staged = () => redis().client.hlen(`${tenant}:staged`);
const directory = async () =>
  (await redis().client.keys("jobwire:{:directory}:*")).filter((key) => !key.endsWith(":n"));
const isThere = async (batch: NewBatch) =>
  (await redis().client.exists(keys.batch(ANN.tenant, batch.id))) === 1;
const stored = (count: number) => async (batch: NewBatch) =>
  expect(await redis().client.zcard(`${tenant}:jobs-of:${batch.id}`)).toBe(count);

interface Step {
  name: string;
  /** Text in its first request. */
  text: (batch: NewBatch) => string;
  /** Passes once it was executed. */
  executed: (batch: NewBatch) => Promise<void>;
  /** The batch is there if this was executed, and if not. */
  shown: [after: boolean, before: boolean];
}

const STEPS: readonly Step[] = [
  {
    name: "the first jobs are stored",
    text: () => '"Article 0"',
    executed: stored(STEP),
    shown: [false, false],
  },
  {
    name: "the last jobs are stored",
    text: () => `"Article ${JOBS - 1}"`,
    executed: stored(JOBS),
    shown: [false, false],
  },
  {
    name: "the directory gets their ids",
    text: () => "{:directory}:n",
    executed: async () => expect(await directory()).not.toEqual([]),
    shown: [false, false],
  },
  {
    name: "the batch is shown",
    text: () => '"name":"January"',
    executed: async (batch) => expect(await isThere(batch)).toBe(true),
    shown: [true, false],
  },
  {
    name: "the first jobs get their places",
    text: ({ id }) => `\r\n${id}\r\n$3\r\n${STEP}\r\n`,
    executed: async () => expect(await redis().client.zcard(`${tenant}:feed`)).toBe(STEP),
    shown: [true, true],
  },
];

/** A process whose network is whole again at the end of the test. */
async function openFaulty() {
  const network = await openNetwork(redis().port);
  const here = await openTestEngine(network.url);
  onTestFinished(() => {
    network.heal();
    network.reset();
  });
  return { network, here };
}

function newKeyed() {
  return newBatch(JOBS, { idempotencyKey: "once" });
}

const SILENCE = `if redis.call("EXISTS", KEYS[1]) == 1 then redis.call("HSET", KEYS[1], "till", 0) end`;

/** Ends the time for which processes may be silent, until other ones have done what they left. */
async function landed(): Promise<void> {
  await vi.waitFor(async () => {
    for (const batchId of await redis().client.hkeys(`${tenant}:staged`)) {
      await redis().client.eval(SILENCE, 1, `${tenant}:staged:${batchId}`);
    }
    expect(await staged()).toBe(0);
  });
}

/** Claims so many jobs, and no more. */
async function claimed(engine: Engine, count: number): Promise<string[]> {
  // The sweep tells the ring what a process that died did not.
  engine.onWork(() => undefined);
  const ids: string[] = [];
  await vi.waitFor(async () => {
    const claims = await engine.claim({ worker: "w", max: ALL, leaseMs: 60_000, now: at(0) });
    ids.push(...claims.map(({ jobId }) => jobId));
    expect(ids.length).toBeGreaterThanOrEqual(count);
  });
  return ids;
}

/** All that there is of the batch: all or nothing, and no trace of how it was stored. */
async function expectWhole(engine: Engine, { batch, jobs }: Given, isWhole: boolean) {
  const count = isWhole ? JOBS : 0;
  expect(await redis().client.keys(`${tenant}:staged*`)).toEqual([]);
  expect((await engine.getBatch(batch.id))?.counts.PENDING).toBe(isWhole ? JOBS : undefined);
  expect((await engine.listJobs({ ...ANN, limit: ALL })).items).toHaveLength(count);
  expect((await engine.readFeed(ANN, 0, ALL)).changes).toHaveLength(count);
  expect((await engine.usage(ANN.tenant)).waitingJobs).toBe(count);
  expect(await claimed(engine, count)).toEqual(isWhole ? jobs.map(({ id }) => id) : []);
  if (isWhole) return;
  expect(await directory()).toEqual([]);
  const left = await redis().client.keys(`${tenant}:*`);
  expect(left.filter((key) => key !== `${tenant}:n`)).toEqual([]);
}

interface Given {
  batch: NewBatch;
  jobs: NewJob[];
}

for (const { name, text, executed, shown } of STEPS) {
  test(`[B1] [B4] a process that dies before ${name} leaves all of a batch, or nothing`, async () => {
    const { network, here } = await openFaulty();
    const given = newKeyed();
    network.dieBefore(text(given.batch));
    here.createBatch(given.batch, given.jobs, at(0)).catch(() => undefined);
    await vi.waitFor(() => expect(network.isDead()).toBe(true));
    const elsewhere = await open();
    await landed();
    await expectWhole(elsewhere, given, shown[1]);
    const again = newKeyed();
    const { id } = await elsewhere.createBatch(again.batch, again.jobs, at(1));
    expect(id).toBe(shown[1] ? given.batch.id : again.batch.id);
  });

  test(`[B1] [J3] where the answer that ${name} is lost, the call is repeated, and stores one batch`, async () => {
    const { network, here } = await openFaulty();
    const given = newKeyed();
    network.loseAnswersTo(text(given.batch));
    const created = here.createBatch(given.batch, given.jobs, at(0));
    created.catch(() => undefined);
    await vi.waitFor(() => executed(given.batch), { timeout: 4000, interval: 5 });
    network.reset();
    expect(await created).toMatchObject({ id: given.batch.id });
    await expectWhole(await open(), given, true);
  });

  test(`[B1] [J4] a call that fails after ${name} can be made again with its idempotency key`, async () => {
    const { network, here } = await openFaulty();
    const given = newKeyed();
    network.loseAnswersTo(text(given.batch));
    here.createBatch(given.batch, given.jobs, at(0)).catch(() => undefined);
    await vi.waitFor(() => executed(given.batch), { timeout: 4000, interval: 5 });
    network.cut();
    const elsewhere = await open();
    const again = newKeyed();
    const { id } = await elsewhere.createBatch(again.batch, again.jobs, at(1));
    const first = shown[0] ? given : again;
    expect(id).toBe(first.batch.id);
    await landed();
    await expectWhole(elsewhere, first, true);
  });
}

/** A batch that is shown, and none of whose jobs has its place yet. */
async function openShown(): Promise<Given & { engine: Engine }> {
  const { network, here } = await openFaulty();
  const given = newKeyed();
  network.dieBefore(`\r\n${given.batch.id}\r\n$3\r\n${STEP}\r\n`);
  here.createBatch(given.batch, given.jobs, at(0)).catch(() => undefined);
  await vi.waitFor(() => expect(network.isDead()).toBe(true));
  return { ...given, engine: await open() };
}

test("[B2] [J2] jobs of a batch that change before they have their places keep what the change gave them", async () => {
  const { engine, batch, jobs } = await openShown();
  const [cancelled, again, started] = jobs as [NewJob, NewJob, NewJob];
  await engine.change(cancelled.id, { action: "cancel" }, at(1));
  await engine.change(again.id, { action: "cancel" }, at(1));
  await engine.change(again.id, { action: "retry" }, at(2));
  await engine.change(started.id, START, at(1));
  const { changes: early } = await engine.readFeed(ANN, 0, ALL);
  // The first job is in the feed from the start.
  expect(early.map(({ job }) => job.id)).toEqual([cancelled, again, started].map(({ id }) => id));
  await landed();
  expect((await engine.getBatch(batch.id))?.counts).toMatchObject({
    ABORTED: 1,
    PROCESSING: 1,
    PENDING: JOBS - 2,
  });
  expect((await engine.usage(ANN.tenant)).waitingJobs).toBe(JOBS - 1);
  const { changes } = await engine.readFeed(ANN, 0, ALL);
  expect(changes.map(({ job }) => job.id)).toEqual(jobs.map(({ id }) => id));
  expect((await claimed(engine, JOBS - 1)).toSorted()).toEqual(
    jobs
      .slice(1)
      .map(({ id }) => id)
      .toSorted(),
  );
});

test("[B4] processes that give the jobs of a batch their places at the same time give each one", async () => {
  const { engine, batch, jobs } = await openShown();
  const run = createScripts(redis().client);
  const land = async () => {
    while (((await run<unknown[]>("land-jobs", tenant, batch.id, STEP))[0] as number) === 1);
  };
  await Promise.all([land(), land(), landed()]);
  const { changes } = await engine.readFeed(ANN, 0, ALL);
  expect(changes.map(({ rev }) => rev)).toEqual(jobs.map((_, index) => index + 1));
  await expectWhole(engine, { batch, jobs }, true);
});

test("an owner's jobs go to another one together, also while they get their places", async () => {
  const { engine, batch } = await openShown();
  let moved: number;
  do {
    ({ moved } = await engine.assign(ANN, BOB, 500));
  } while (moved > 0);
  expect(await engine.getBatch(batch.id)).toMatchObject(BOB);
  expect((await engine.listJobs({ ...ANN, limit: 1 })).items).toEqual([]);
  expect((await engine.listJobs({ ...BOB, limit: ALL })).items).toHaveLength(JOBS);
  expect((await engine.readFeed(BOB, 0, ALL)).changes).toHaveLength(JOBS);
  expect(await redis().client.keys(`${keys.owner(ANN)}*`)).toEqual([]);
});

test("[B4] a process that was silent for too long stores nothing more of a batch", async () => {
  const { network, here } = await openFaulty();
  const elsewhere = await open();
  const given = newKeyed();
  network.dieBefore(`"Article ${JOBS - 1}"`);
  const created = here.createBatch(given.batch, given.jobs, at(0));
  created.catch(() => undefined);
  await vi.waitFor(() => expect(network.isDead()).toBe(true));
  await landed();
  network.reset();
  await expect(created).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await expectWhole(elsewhere, given, false);
});

test("[R5] [B3] a few large inputs are stored in steps too, and counted by their bytes in UTF-8", async () => {
  const engine = await open();
  const { batch, jobs } = newBatch(8);
  const text = "ä€😀".repeat(30_000);
  const large = jobs.map((job) => ({ ...job, input: { text } }));
  await engine.createBatch(batch, large, at(0));
  const bytes = 8 * (Buffer.byteLength(JSON.stringify({ text })) + "null".length);
  expect(await engine.usage(ANN.tenant)).toEqual({ waitingJobs: 8, bytes });
  expect(await engine.getJob(jobs[7]?.id ?? "")).toMatchObject({ input: { text } });
  expect(await claimed(engine, 8)).toEqual(jobs.map(({ id }) => id));
  const quota = { waitingJobs: 0, bytes: 2 * bytes - 1 };
  const more = newBatch(8);
  const again = more.jobs.map((job) => ({ ...job, input: { text } }));
  expect(await codeOf(engine.createBatch(more.batch, again, at(0), quota))).toBe("RATE_LIMITED");
  expect(await engine.usage(ANN.tenant)).toEqual({ waitingJobs: 8, bytes });
});

test("[S6] scripts that Redis forgets between the steps of a batch do no harm", async () => {
  const engine = await open();
  const given = newKeyed();
  const created = engine.createBatch(given.batch, given.jobs, at(0));
  const other = newJob(BOB);
  let isDone = false;
  void created.finally(() => (isDone = true));
  while (!isDone) await redis().client.script("FLUSH");
  await created;
  await engine.createJob(other, at(1));
  expect((await engine.listJobs({ ...BOB, limit: 1 })).items).toHaveLength(1);
  await engine.change(other.id, { action: "cancel" }, at(1));
  await expectWhole(engine, given, true);
});

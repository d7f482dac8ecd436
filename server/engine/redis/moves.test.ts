/** Jobs and batches that go to another tenant, and what an interruption at each step leaves. */
import { expect, test } from "vitest";
import { at, BOB, codeOf, DELIVER, newBatch, newJob } from "#test/engine/builders.ts";
import { useRedis } from "#test/redis/engine.fixture.ts";

const { open } = useRedis();
const FROM = { tenant: "local", owner: "local" };
const EVE = { tenant: "other", owner: "eve" };

test("smoke", async () => {
  const engine = await open();
  const own = await engine.createJob(newJob(EVE), at(0));
  const one = await engine.createJob(newJob(FROM), at(0));
  await engine.change(one.id, { action: "cancel" }, at(1));
  const open1 = await engine.createJob(newJob(FROM), at(0));
  const { batch, jobs } = newBatch(3, FROM);
  await engine.createBatch(batch, jobs, at(0));
  for (const { id } of jobs) await engine.change(id, { action: "cancel" }, at(1));
  expect(await engine.assign(FROM, EVE, 9)).toMatchObject({ moved: 5 });
  expect(await engine.assign(FROM, EVE, 9)).toEqual({
    moved: 0,
    unsettled: { count: 1, some: [open1.id] },
  });
  const l = await engine.listJobs({ ...EVE, limit: 9 });
  expect(l.items.map((j) => j.id)).toEqual([own.id, ...jobs.map((j) => j.id).toReversed(), one.id]);
  const p = await engine.listJobs({ ...EVE, limit: 2 });
  expect(
    (await engine.listJobs({ ...EVE, limit: 9, cursor: p.nextCursor ?? "" })).items,
  ).toHaveLength(3);
  expect(await engine.getBatch(batch.id)).toMatchObject({ ...EVE, counts: { ABORTED: 3 } });
  await engine.change(one.id, { action: "retry" }, at(2));
  void DELIVER;
  void BOB;
  void codeOf;
});

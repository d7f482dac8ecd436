import { expect, onTestFinished, test } from "vitest";
import { openEngine } from "#server/engine/index.ts";
import { ANN, at, newBatch, newJob } from "#test/engine/builders.ts";
import { newTestData } from "#test/engine/data.fixture.ts";

test("jobs go to another tenant with all that they count for there", async () => {
  const data = await newTestData();
  const engine = await openEngine(data.config);
  onTestFinished(async () => {
    await engine.close();
    await data.remove();
  });
  const settled = await engine.createJob(newJob(), at(0));
  await engine.change(settled.id, { action: "cancel" }, at(1));
  const { batch, jobs } = newBatch(2);
  await engine.createBatch(batch, jobs, at(0));
  const usage = await engine.usage(ANN.tenant);
  expect(usage.waitingJobs).toBe(2);

  const stranger = { tenant: "other", owner: "eve" };
  expect(await engine.assign(ANN, stranger, 9)).toMatchObject({ moved: 4 });
  expect((await engine.listJobs({ tenant: ANN.tenant, limit: 9 })).items).toEqual([]);
  const { items } = await engine.listJobs({ tenant: "other", limit: 9 });
  expect(items).toHaveLength(3);
  for (const job of items) expect(job).toMatchObject(stranger);
  expect((await engine.listBatches({ tenant: "other", limit: 9 })).items).toMatchObject([
    { id: batch.id, ...stranger },
  ]);
  expect((await engine.readFeed({ tenant: "other" }, 0, 9)).changes).toHaveLength(3);
  expect(await engine.usage(ANN.tenant)).toEqual({ waitingJobs: 0, bytes: 0 });
  expect(await engine.usage("other")).toEqual(usage);
});

/** Watches of jobs and batches that were given to a user of another tenant. */
import { expect, test, vi } from "vitest";
import type { BatchAggregate } from "#shared/batch.ts";
import type { JobEvent } from "#shared/events.ts";
import { ownerOf } from "#shared/principal.ts";
import { me } from "#test/jobs/acting.ts";
import { createSink, openStreamsFixture, take } from "#test/streams/streams.fixture.ts";

const EVE = { tenant: "other", owner: "eve" };

test("[S2] [S9] a job's watch goes on, and a new one resumes by its cursor, after the job went to another tenant", async () => {
  const { engine, streams, createBatch } = await openStreamsFixture();
  const { batchId, jobIds } = await createBatch(1);
  const [id = ""] = jobIds;
  await engine.change(id, { action: "cancel" }, new Date());
  const [job, batch] = [createSink<JobEvent>(), createSink<BatchAggregate>()];
  const watches = [
    (await streams.job(me, id, { after: 1, follow: true })).pipe(job.sink),
    (await streams.batch(me, batchId, { follow: true })).pipe(batch.sink),
  ];
  await vi.waitFor(() => expect(job.seqs()).toEqual([2]));
  expect(await engine.assign(ownerOf(me), EVE, 9)).toMatchObject({ moved: 2 });
  await engine.change(id, { action: "retry" }, new Date());
  await engine.change(id, { action: "cancel" }, new Date());
  await vi.waitFor(() => expect(job.seqs()).toEqual([2, 3, 4]));
  await vi.waitFor(() => expect(batch.entries.at(-1)?.value.version).toBe(4));
  for (const watch of watches) watch.stop();
  const eve = { ...me, tenantId: EVE.tenant, userId: EVE.owner };
  const resumed = await take(await streams.job(eve, id, { after: 2 }));
  expect(resumed.map(({ seq }) => seq)).toEqual([3, 4]);
  await expect(streams.job(me, id)).rejects.toMatchObject({ code: "NOT_FOUND" });
});

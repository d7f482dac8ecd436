import { expect, test } from "vitest";
import type { OwnerFilter } from "#shared/principal.ts";
import { ANN, at, BOB, newBatch, newJob, START } from "#test/engine/builders.ts";
import { useRedis } from "#test/redis/engine.fixture.ts";
import { createKeys } from "./keys.ts";

const { redis, open } = useRedis();
const keys = createKeys("jobwire");
/** Its name is not the same text in a key. */
const EVE = { tenant: "a {b}:c", owner: "e*:feed" };

/** Makes the data that of version 2, in which tenants had no lists and each owner's revs began at 1. */
async function makeOld(...owners: { tenant: string; owner: string }[]): Promise<void> {
  const { client } = redis();
  for (const each of owners) {
    const [t, o] = [keys.tenant(each.tenant), keys.owner(each)];
    const ids = await client.zrange(`${o}:feed`, "0", "-1");
    for (const [index, id] of ids.entries()) await client.zadd(`${o}:feed`, index + 1, id);
    await client.set(`${o}:rev`, ids.length);
    const lists = await client.keys(`${t}:jobs:*`);
    await client.del(`${t}:feed`, `${t}:rev`, `${t}:kinds`, `${t}:batches`, ...lists);
  }
  await client.set(keys.schema, "2");
}

test("data of version 2 gets the lists and feeds of tenants, also where the upgrade runs twice", async () => {
  const before = await open();
  const made: string[] = [];
  for (const owner of [ANN, BOB, ANN, EVE]) {
    const { batch, jobs } = newBatch(2, owner);
    await before.createBatch(batch, jobs, at(0));
    const { id } = await before.createJob(newJob({ ...owner, kind: "report" }), at(0));
    await before.change(id, START, at(1));
    if (owner.tenant === ANN.tenant) made.unshift(id, ...jobs.map((job) => job.id).toReversed());
  }
  const feedOf = async (engine: typeof before, of: OwnerFilter, after = 0) =>
    (await engine.readFeed(of, after, 99)).changes.map(({ job }) => job.id);
  const owned = { ann: await feedOf(before, ANN), bob: await feedOf(before, BOB) };
  await before.close();

  for (let round = 0; round < 2; round++) {
    await makeOld(ANN, BOB, EVE);
    const [engine, other] = await Promise.all([open(), open()]);
    expect(await redis().client.get(keys.schema)).toBe("3");
    expect(await feedOf(engine, ANN)).toEqual(owned.ann);
    expect(await feedOf(engine, BOB)).toEqual(owned.bob);
    // A cursor from before never passes a change.
    expect(await feedOf(engine, BOB, 1)).toEqual(
      expect.arrayContaining(owned.bob.slice(1)) as string[],
    );
    const all = await engine.readFeed({ tenant: ANN.tenant }, 0, 99);
    expect(all.changes.map(({ job }) => job.id).toSorted()).toEqual(made.toSorted());
    expect(all.changes.at(-1)?.rev).toBe(all.head);
    expect(await feedOf(engine, { tenant: EVE.tenant })).toEqual(await feedOf(engine, EVE));
    const listed = await engine.listJobs({ tenant: ANN.tenant, limit: 99 });
    expect(listed.items.map(({ id }) => id)).toEqual(made);
    const reports = await engine.listJobs({
      tenant: ANN.tenant,
      kind: "report",
      status: "PROCESSING",
      limit: 99,
    });
    expect(reports.items).toHaveLength(3);
    expect((await engine.listBatches({ tenant: ANN.tenant, limit: 99 })).items).toHaveLength(3);

    const job = await other.createJob(newJob(EVE), at(2));
    const { changes } = await other.readFeed({ tenant: EVE.tenant }, 0, 99);
    expect(changes.at(-1)?.job.id).toBe(job.id);
    await Promise.all([engine.close(), other.close()]);
  }
});

/** Data that the version before actors and audit lists wrote to Redis, as the commands that restore them. */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";
import { at, newJob, START, STEP } from "#test/engine/builders.ts";
import type { JobChange } from "#shared/lifecycle.ts";
import commands from "#test/engine/old-data/redis-2.json" with { type: "json" };
import { goesOnFromOldData } from "#test/engine/old-data/old-data.ts";
import { useRedis } from "#test/redis/engine.fixture.ts";

const { redis, open } = useRedis({ prefix: "old" });

test("[P16] [P17] [S2] its jobs are read, and new events have their actor and details", async () => {
  for (const [name = "", ...args] of commands) {
    await redis().client.call(name, ...args);
  }
  await expect(goesOnFromOldData(await open())).resolves.toBeUndefined();
});

test("[P16] a stored event with an actor begins as before, so that processes of the version before can read it", async () => {
  const engine = await open();
  const job = newJob({ id: newId(), actor: { user: "ann", via: "token" } });
  await engine.createJob(job, at(0));
  const [stored = ""] = await redis().client.lrange(`old:{acme}:log:${job.id}`, 0, -1);
  // It reads the first seven values.
  expect(JSON.parse(stored)).toEqual([
    1,
    at(0).getTime(),
    0,
    "created",
    "PENDING",
    0,
    "Job created and queued for processing",
    { user: "ann", via: "token" },
  ]);
});

test("what is stored of a job without details is as before, and with details it begins as before", async () => {
  const engine = await open();
  const job = newJob({ id: newId() });
  await engine.createJob(job, at(0));
  await engine.change(job.id, START, at(1));
  const stored = async () => {
    const { client } = redis();
    const [record, log] = await Promise.all([
      client.hget(`old:{acme}:job:${job.id}`, "s"),
      client.lrange(`old:{acme}:log:${job.id}`, 0, -1),
    ]);
    return [record ?? "", log.at(-1) ?? ""].map((text) => JSON.parse(text) as unknown[]);
  };
  expect((await stored()).map(({ length }) => length)).toEqual([16, 7]);
  const details = { done: 1 };
  await engine.change(job.id, { ...STEP, details } as JobChange, at(2));
  const [record = [], event = []] = await stored();
  expect(record).toHaveLength(17);
  expect(record.at(-1)).toEqual(details);
  // The place of the actor, whom this event does not have.
  const { message } = STEP as { message: string };
  const first = [3, at(2).getTime(), 1, "progress", "PROCESSING", 50, message];
  expect(event).toEqual([...first, null, details]);
});

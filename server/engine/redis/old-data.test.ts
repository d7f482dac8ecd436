/** Data that the version before actors and audit lists wrote to Redis, as the commands that restore them. */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";
import { at, newJob } from "#test/engine/builders.ts";
import commands from "#test/engine/old-data/redis-2.json" with { type: "json" };
import { goesOnFromOldData } from "#test/engine/old-data/old-data.ts";
import { useRedis } from "#test/redis/engine.fixture.ts";

const { redis, open } = useRedis({ prefix: "old" });

test("[P16] [P17] its jobs are read, and new events have their actor", async () => {
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

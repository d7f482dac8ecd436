/** For tests: advances the clock of Redis, as far as the engine reads it. */
import { type Client, mastersOf } from "#server/engine/redis/client.ts";
import { createKeys } from "#server/engine/redis/keys.ts";

/** Sorted sets whose scores are times in ms. */
const TIMES = [
  "presence:nodes",
  "queue",
  "delayed",
  "leased",
  "expiring",
  // Of the ring.
  "alarms",
  "workers",
];

/** Ages each session, key of presence, place in the queue, lease, delay and worker by `ms`, and wakes all that wait for work. */
export async function advanceTime(
  { client }: { client: Client },
  prefix: string,
  ms: number,
): Promise<void> {
  const keysLike = async (pattern: string) => {
    const found = await Promise.all(
      mastersOf(client).map((each) => each.keys(`${prefix}:${pattern}`)),
    );
    return found.flat();
  };
  const keys = await keysLike("{*}:*");
  const expiring = keys.filter((key) => /\}:(?:session|presence):/.test(key));
  await Promise.all(
    expiring.map(async (key) => {
      const left = await client.pttl(key);
      await (left > ms ? client.pexpire(key, left - ms) : client.del(key));
    }),
  );
  const sets = keys.filter((key) => TIMES.includes(key.slice(key.indexOf("}:") + 2)));
  await Promise.all(
    sets.map(async (key) => {
      const members = await client.zrange(key, "0", "-1");
      await Promise.all(members.map((member) => client.zincrby(key, -ms, member)));
    }),
  );
  const jobs = keys.filter((key) => key.includes("}:job:"));
  await Promise.all(
    jobs.map(async (key) => {
      for (const field of ["rank", "x"]) {
        const time = await client.hget(key, field).catch(() => null);
        if (time !== null) await client.hset(key, field, Number(time) - ms);
      }
    }),
  );
  const { workHints } = createKeys(prefix);
  await client.spublish(workHints, "");
}

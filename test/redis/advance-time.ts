/** For tests: advances the clock of Redis, as far as the engine reads it. */
import { type Client, mastersOf } from "#server/engine/redis/client.ts";
import { createKeys } from "#server/engine/redis/keys.ts";

/** Sorted sets whose scores are times in ms. */
const TIMES = new Set([
  "presence:nodes",
  "delayed",
  "leased",
  "expiring",
  "closed",
  // Of the ring.
  "alarms",
  "opens",
  "workers",
]);
/** The same, of a kind or a line. */
const TIMES_OF = /^(?:queue|line|heads|permits):/;

/** Ages each session, key of presence, lease of a mirror, place in the queue, lease, delay, rate and worker by `ms`, and wakes all that wait for work. */
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
  const expiring = keys.filter((key) => /\}:(?:(?:session|presence):|mirror:.*:holder$)/.test(key));
  await Promise.all(
    expiring.map(async (key) => {
      const left = await client.pttl(key);
      await (left > ms ? client.pexpire(key, left - ms) : client.del(key));
    }),
  );
  const sets = keys.filter((key) => TIMES.has(nameOf(key)) || TIMES_OF.test(nameOf(key)));
  await Promise.all(
    sets.map(async (key) => {
      const members = await client.zrangeBuffer(key, "0", "-1").catch(() => []);
      await Promise.all(members.map((member) => client.zincrby(key, -ms, member)));
    }),
  );
  await Promise.all(
    keys.filter((key) => nameOf(key).startsWith("rate:")).map((key) => ageRate(client, key, ms)),
  );
  const rates = createKeys(prefix).ring + ":rates";
  for (const [kind, rate] of Object.entries(await client.hgetall(rates))) {
    const [until, reserved] = rate.split(" ");
    await client.hset(rates, kind, `${Number(until) - ms * 1000} ${reserved}`);
  }
  const reacted = keys.filter((key) => nameOf(key).startsWith("reacted:"));
  await Promise.all(reacted.map((key) => client.del(key)));
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

/** Without the tenant. */
function nameOf(key: string): string {
  return key.slice(key.indexOf("}:") + 2);
}

/** Of a key, which Redis keeps as long as it says something. */
async function ageRate(client: Client, key: string, ms: number): Promise<void> {
  const [until, left] = [await client.get(key), await client.pttl(key)];
  if (until === null || left <= ms) await client.del(key);
  else await client.set(key, Number(until) - ms * 1000, "PX", left - ms);
}

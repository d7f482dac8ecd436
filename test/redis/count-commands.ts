/** For tests of costs: how many commands a call sends to Redis. */
import type { Client } from "#server/engine/redis/client.ts";

const TRIES = 3;

/** Runs the call a few times. Returns the least count: what processes do at intervals falls into some of the runs. */
export async function countCommands(client: Client, call: () => Promise<void>): Promise<number> {
  let least = Infinity;
  for (let n = 0; n < TRIES; n += 1) {
    await client.config("RESETSTAT");
    await call();
    const stats = await client.info("commandstats");
    const calls = Array.from(stats.matchAll(/^cmdstat_\S+?:calls=(\d+)/gm), ([, of]) => Number(of));
    least = Math.min(
      least,
      calls.reduce((sum, count) => sum + count, 0),
    );
  }
  return least;
}

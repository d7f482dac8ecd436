/** How long a Redis takes to answer, and the difference of its clock from that of this machine. */
import type { Redis } from "ioredis";
import { fail, type Finding, ok, warn } from "#shared/finding.ts";

const PINGS = 20;
/** Each command of a client waits for it at least once. */
const SLOW_MS = 10;

/** `clock` returns milliseconds. */
export async function latencyOf(
  redis: Pick<Redis, "ping">,
  clock: () => number = () => performance.now(),
): Promise<Finding> {
  const name = "redis latency";
  const times: number[] = [];
  for (let count = 0; count < PINGS; count += 1) {
    const sent = clock();
    await redis.ping();
    times.push(clock() - sent);
  }
  times.sort((one, other) => one - other);
  const median = times[PINGS / 2] ?? 0;
  const found = `${median.toFixed(1)} ms in the middle, ${(times.at(-1) ?? 0).toFixed(1)} ms at most`;
  if (median <= SLOW_MS) return ok(name, found);
  return warn(name, found, [
    "Put Redis into the same zone as the servers, and look for slow commands: redis-cli --latency, redis-cli SLOWLOG GET",
    "docs/troubleshooting.md#high-latency-or-delayed-updates",
  ]);
}

/** Times that people are shown, and the ends of tokens, are wrong by as much. */
const FAR_MS = 1000;
/** Tokens of a minute are of no use then. */
const VERY_FAR_MS = 30_000;

export async function clockOf(redis: Pick<Redis, "time">, now: () => Date): Promise<Finding> {
  const name = "redis clock";
  const before = now().getTime();
  const [seconds, microseconds] = (await redis.time()).map(Number);
  const after = now().getTime();
  const there = (seconds ?? 0) * 1000 + Math.floor((microseconds ?? 0) / 1000);
  // Anything between the two moments is no difference.
  const ahead = there > after ? there - after : Math.min(0, there - before);
  const found =
    Math.abs(ahead) <= FAR_MS
      ? "within a second of this machine's"
      : `${Math.round(Math.abs(ahead) / 1000)} s ${ahead > 0 ? "ahead of" : "behind"} this machine's`;
  const advice = [
    "Set both by NTP (chrony, systemd-timesyncd), and those of all other servers.",
    "docs/scaling.md#clocks",
  ] as const;
  if (Math.abs(ahead) > VERY_FAR_MS) return fail(name, found, advice);
  return Math.abs(ahead) > FAR_MS ? warn(name, found, advice) : ok(name, found);
}

/** Events per second that the redis engine stores, compared with a bare loop that appends them to Redis streams. */
import { hasProgram } from "#bench/installed.ts";
import { openProgram } from "#bench/program.ts";
import { startBenchRedis } from "#bench/servers/data.ts";
import type { Peer } from "#bench/servers/peer.ts";
import { median } from "#bench/statistics.ts";
import type { Scenario } from "./scenario.ts";

const PER_BATCH = [1, 10, 100];
/** As many jobs as the other contender uses. */
const JOBS = 10;
const OURS = "Jobwire on Redis, events";
const BARE = "bare loop of XADD";
const MESSAGE = "Step of a job, of which this is the message ".padEnd(60, "-");

export const redisEvents: Scenario = {
  name: "redis-events",
  async run({ quick }) {
    const title = "Events a second on Redis, its file flushed once a second";
    if (!hasProgram("redis-server", "--version")) {
      return { scenario: "redis-events", title, rows: [{ who: OURS }, { who: BARE }], goals: [] };
    }
    const batches = quick ? 5 : 100;
    const rounds = quick ? 1 : 5;
    const redis = await startBenchRedis();
    const env = { BENCH_ENGINE: "redis", BENCH_REDIS_URL: redis.url };
    const server = openProgram<Peer>("servers/jobwire.ts", env);
    const measured: Record<string, Record<string, number>> = { [OURS]: {}, [BARE]: {} };

    async function append(perBatch: number): Promise<number> {
      const begin = performance.now();
      for (let batch = 0; batch < batches; batch += 1) {
        const pipeline = redis.client.pipeline();
        for (let n = 0; n < perBatch; n += 1) {
          pipeline.xadd(`bare:${n % JOBS}`, "*", "e", MESSAGE);
        }
        await pipeline.exec();
      }
      return performance.now() - begin;
    }

    try {
      await server.call("open", { jobs: JOBS });
      for (const perBatch of PER_BATCH) {
        const seconds: Record<string, number[]> = { [OURS]: [], [BARE]: [] };
        // The first round is a warm-up.
        for (let round = 0; round <= rounds; round += 1) {
          const emitted = {
            events: batches * perBatch,
            perTick: perBatch,
            everyMs: 0,
            alike: true,
          };
          const each = {
            [OURS]: await server.call("emit", emitted),
            [BARE]: await append(perBatch),
          };
          if (round === 0) continue;
          for (const [who, ms] of Object.entries(each)) seconds[who]?.push(ms / 1000);
        }
        for (const [who, figures] of Object.entries(measured)) {
          figures[`${perBatch} at once`] = (batches * perBatch) / median(seconds[who] ?? []);
        }
      }
    } finally {
      await server.close();
      await redis.close();
    }
    const rows = Object.entries(measured).map(([who, figures]) => ({ who, figures }));
    return { scenario: "redis-events", title, rows, goals: [] };
  },
};

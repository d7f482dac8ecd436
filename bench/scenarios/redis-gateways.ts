/** Load that a second gateway takes off the first: the same watchers on one gateway and on two. The job runs elsewhere. */
import { openWatcherPool } from "#bench/watcher-pool.ts";
import { hasProgram } from "#bench/installed.ts";
import { openProgram } from "#bench/program.ts";
import type { Row } from "#bench/report.ts";
import { startBenchRedis } from "#bench/servers/data.ts";
import type { Peer, Watch } from "#bench/servers/peer.ts";
import { median, quantile } from "#bench/statistics.ts";
import type { Scenario } from "./scenario.ts";

const NAMES = ["one gateway", "two gateways"];
const EVERY_MS = 50;

interface Size {
  watchers: number;
  events: number;
  rounds: number;
}

export const redisGateways: Scenario = {
  name: "redis-gateways",
  async run({ quick }) {
    const size = quick
      ? { watchers: 50, events: 20, rounds: 1 }
      : { watchers: 1000, events: 60, rounds: 5 };
    const installed = hasProgram("redis-server", "--version");
    const rows: Row[] = [];
    for (const [index, who] of NAMES.entries()) {
      rows.push(installed ? { who, figures: await measure(index + 1, size) } : { who });
    }
    const title = `Gateways on Redis: ${size.watchers} watchers of one job that runs in another process`;
    return { scenario: "redis-gateways", title, rows, goals: [] };
  },
};

async function measure(
  count: number,
  { watchers, events, rounds }: Size,
): Promise<Record<string, number>> {
  const redis = await startBenchRedis();
  const env = { BENCH_ENGINE: "redis", BENCH_REDIS_URL: redis.url };
  const worker = openProgram<Peer>("servers/jobwire.ts", env);
  const { watches } = await worker.call("open", { jobs: 1 });
  const gateways = Array.from({ length: count }, () => ({
    server: openProgram<Peer>("servers/jobwire.ts", { ...env, BENCH_ROLE: "gateway" }),
    pool: openWatcherPool(watchers / count),
  }));
  const everywhere = <T>(call: (gateway: (typeof gateways)[number]) => Promise<T>) =>
    Promise.all(gateways.map(call));
  const cpu = () => everywhere(({ server }) => server.call("cpu", undefined));
  const all: number[] = [];
  const busiest: number[] = [];
  const latencies: number[] = [];
  try {
    await everywhere(async ({ server, pool }) => {
      const { port } = await server.call("open", { jobs: 0 });
      await pool.connect(port, [watches.trpc as Watch], watchers / count);
    });
    // The first round is a warm-up.
    for (let round = 0; round <= rounds; round += 1) {
      await everywhere(({ pool }) => pool.expect(events));
      const before = await cpu();
      const arrived = everywhere(({ pool }) => pool.arrived());
      await worker.call("emit", { events, perTick: 1, everyMs: EVERY_MS });
      const came = await arrived;
      const spent = (await cpu()).map((after, index) => after - (before[index] ?? 0));
      if (round === 0) continue;
      all.push(spent.reduce((sum, each) => sum + each, 0) / (events * watchers));
      busiest.push(Math.max(...spent) / events / 1000);
      latencies.push(...came.flatMap((each) => each.latencies));
    }
  } finally {
    await everywhere(async ({ server, pool }) => {
      await pool.close();
      await server.close();
    });
    await worker.close();
    await redis.close();
  }
  return {
    "all gateways' CPU, µs a delivery": median(all),
    "the busiest's CPU, ms an event": median(busiest),
    "p50, ms": quantile(latencies, 0.5),
    "p99, ms": quantile(latencies, 0.99),
  };
}

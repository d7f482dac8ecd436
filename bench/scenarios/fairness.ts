/**
 * How long the jobs of a tenant wait, alone and while another tenant has queued thousands. Each job takes the same time, so a
 * wait can be told in jobs. The goal is two more than alone: the one that runs, and one whose turn comes first.
 */
import { hasProgram } from "#bench/installed.ts";
import { openProgram } from "#bench/program.ts";
import type { Goal, Row } from "#bench/report.ts";
import { startBenchRedis } from "#bench/servers/data.ts";
import type { TurnsServer } from "#bench/servers/turns.ts";
import { median } from "#bench/statistics.ts";
import type { Scenario } from "./scenario.ts";

const WORKERS = [1, 4];
const JOB_MS = 20;
export const ALONE = "alone: median, ms";
export const BESIDE = "beside: median, ms";

interface Size {
  queued: number;
  jobs: number;
  everyMs: number;
  patienceMs: number;
}

interface Waits {
  alone: number[];
  beside: number[];
}

export const fairness: Scenario = {
  name: "fairness",
  async run({ quick }) {
    const size = quick
      ? { queued: 50, jobs: 2, everyMs: 50, patienceMs: 2000 }
      : { queued: 10_000, jobs: 6, everyMs: 1000, patienceMs: 3000 };
    const onRedis = hasProgram("redis-server", "--version");
    const rows: Row[] = [];
    const goals: Goal[] = [];
    for (const workers of WORKERS) {
      // Jobs sleep, so both engines can be measured at once.
      const [embedded, shared] = await Promise.all([
        measureEmbedded(workers, size),
        onRedis ? measureOnRedis(workers, size) : undefined,
      ]);
      const named = [
        [`embedded, ${nameOf(workers)}`, embedded],
        [`on Redis, ${nameOf(workers)}`, shared],
      ] as const;
      for (const [who, waits] of named) {
        rows.push(waits === undefined ? { who } : { who, figures: figuresOf(waits) });
        if (waits === undefined) continue;
        const figure = (median(waits.beside) - median(waits.alone)) / JOB_MS;
        goals.push({
          what: `${who}: what the other tenant adds`,
          figure,
          unit: " jobs",
          atMost: 2,
        });
      }
    }
    return {
      scenario: "fairness",
      title: `The wait of a job, alone and beside ${size.queued.toLocaleString("en")} of another tenant that take ${JOB_MS} ms each`,
      rows,
      goals,
    };
  },
};

function nameOf(workers: number): string {
  return workers === 1 ? "one worker" : `${workers} workers`;
}

function figuresOf({ alone, beside }: Waits): Record<string, number> {
  return {
    [ALONE]: median(alone),
    "alone: longest, ms": Math.max(...alone),
    [BESIDE]: median(beside),
    "beside: longest, ms": Math.max(...beside),
  };
}

/** The workers are slots of the one process. */
async function measureEmbedded(workers: number, size: Size): Promise<Waits> {
  const server = openProgram<TurnsServer>("servers/jobwire-turns.ts", {
    BENCH_JOB_MS: `${JOB_MS}`,
    BENCH_SLOTS: `${workers}`,
  });
  try {
    return await measure(server, size);
  } finally {
    await server.close();
  }
}

/** Each worker is a process, and runs one job at a time. */
async function measureOnRedis(workers: number, size: Size): Promise<Waits> {
  const redis = await startBenchRedis();
  const open = (role: string) =>
    openProgram<TurnsServer>("servers/jobwire-turns.ts", {
      BENCH_JOB_MS: `${JOB_MS}`,
      BENCH_ENGINE: "redis",
      BENCH_REDIS_URL: redis.url,
      BENCH_ROLE: role,
    });
  const gateway = open("gateway");
  const others = Array.from({ length: workers }, () => open("worker"));
  try {
    await Promise.all(others.map((each) => each.call("open", {})));
    return await measure(gateway, size);
  } finally {
    await Promise.all([gateway, ...others].map((each) => each.close()));
    await redis.close();
  }
}

async function measure(
  server: ReturnType<typeof openProgram<TurnsServer>>,
  { queued, ...asked }: Size,
): Promise<Waits> {
  // The first job is a warm-up.
  await server.call("waits", { ...asked, jobs: 1 });
  const alone = await server.call("waits", asked);
  await server.call("fill", { jobs: queued });
  return { alone, beside: await server.call("waits", asked) };
}

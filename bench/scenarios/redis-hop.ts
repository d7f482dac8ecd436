/** Time from the request for a change until its hint reaches a watching process: the same gateway, and another one. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { v7 as newId } from "uuid";
import { hasProgram } from "#bench/installed.ts";
import type { Row } from "#bench/report.ts";
import { startBenchRedis } from "#bench/servers/data.ts";
import { quantile } from "#bench/statistics.ts";
import { loadConfig } from "#server/config.ts";
import type { Engine } from "#server/engine/contract.ts";
import { openEngine } from "#server/engine/index.ts";
import type { Scenario } from "./scenario.ts";

const EMBEDDED = "embedded";
const HERE = "Redis, the gateway that made it";
const THERE = "Redis, another gateway";

export const redisHop: Scenario = {
  name: "redis-hop",
  async run({ quick }) {
    const changes = quick ? 20 : 500;
    const dataDir = await mkdtemp(join(tmpdir(), "jobwire-bench-"));
    const rows: Row[] = [];
    const engine = await openEngine(loadConfig({ DATA_DIR: dataDir }));
    rows.push({ who: EMBEDDED, figures: await measure(engine, engine, changes) });
    await engine.close();
    if (hasProgram("redis-server", "--version")) {
      const redis = await startBenchRedis();
      const open = () => openEngine(loadConfig({ REDIS_URL: redis.url }));
      const [here, there] = [await open(), await open()];
      rows.push({ who: HERE, figures: await measure(here, here, changes) });
      rows.push({ who: THERE, figures: await measure(here, there, changes) });
      await Promise.all([here.close(), there.close()]);
      await redis.close();
    } else rows.push({ who: HERE }, { who: THERE });
    await rm(dataDir, { recursive: true });
    return {
      scenario: "redis-hop",
      title: "From a change that is asked for to the hint of it, 200 a second",
      rows,
      goals: [],
    };
  },
};

async function measure(from: Engine, to: Engine, changes: number): Promise<Record<string, number>> {
  const job = { id: newId(), kind: "bench", title: "Bench", tenant: "bench", owner: "bench" };
  await from.createJob({ ...job, input: null, batchId: null }, new Date());
  await from.change(job.id, { action: "start", progress: 0, message: "" }, new Date());
  const took: number[] = [];
  let asked = 0;
  let heard = Promise.withResolvers<void>();
  const end = await to.onAppend({ stream: "job", jobId: job.id }, () => {
    took.push(performance.now() - asked);
    heard.resolve();
  });
  for (let n = 0; n < changes; n += 1) {
    heard = Promise.withResolvers();
    asked = performance.now();
    await from.change(job.id, { action: "progress", progress: 1, message: `${n}` }, new Date());
    await heard.promise;
    await delay(5);
  }
  end();
  return { "p50 ms": quantile(took, 0.5), "p99 ms": quantile(took, 0.99) };
}

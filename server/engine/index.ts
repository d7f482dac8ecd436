/**
 * The only place that knows which engines there are. What every engine does beside its contract is done here,
 * so that none can forget it: each committed event is reported once.
 */
import type { JobEvent } from "#shared/events.ts";
import { createdJob } from "#shared/lifecycle.ts";
import type { Engine } from "./contract.ts";
import { openSqliteEngine } from "./sqlite/open.ts";

export interface EngineConfig {
  dataDir: string;
  /** Where everything is kept instead. */
  redisUrl?: string | undefined;
  redisPrefix?: string | undefined;
  /** For tests: by which the embedded engine measures delays and leases. */
  clock?: (() => number) | undefined;
}

async function open({ dataDir, redisUrl, redisPrefix, clock }: EngineConfig): Promise<Engine> {
  if (redisUrl === undefined) return openSqliteEngine({ dataDir, clock });
  // Whoever does not need it does not wait for it.
  const { openRedisEngine } = await import("./redis/open.ts");
  return openRedisEngine({ url: redisUrl, prefix: redisPrefix });
}

/** Opens connections to where processes meet, for what else they have to tell each other. */
export async function openRedisConnector(redisUrl: string) {
  const { connector } = await import("./redis/client.ts");
  return connector(redisUrl);
}

export async function openEngine(
  config: EngineConfig,
  onEvent: (event: JobEvent) => void = () => {},
): Promise<Engine> {
  const engine = await open(config);
  return {
    ...engine,
    async createJob(fresh, at) {
      const job = await engine.createJob(fresh, at);
      // Another id: the idempotency key was used before, and nothing was stored.
      if (job.id === fresh.id) onEvent(createdJob(fresh, at).event);
      return job;
    },
    async createBatch(batch, jobs, at) {
      const stored = await engine.createBatch(batch, jobs, at);
      if (stored.id === batch.id) for (const fresh of jobs) onEvent(createdJob(fresh, at).event);
      return stored;
    },
    async claim(request) {
      const claims = await engine.claim(request);
      for (const { started } of claims) if (started) onEvent(started);
      return claims;
    },
    async change(...args) {
      const changed = await engine.change(...args);
      onEvent(changed.event);
      return changed;
    },
  };
}

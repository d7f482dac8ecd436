/** Metrics for Prometheus. Names and units follow its conventions. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { JobEvent } from "#shared/events.ts";
import { LIMIT_NAMES, type LimitName } from "./limits/limits.ts";

export interface Metrics {
  onEvent(event: JobEvent): void;
  /** A caller was refused because of this limit. */
  onRateLimited(limit: LimitName): void;
  expose(): Promise<{ contentType: string; text: string }>;
}

export function createMetrics(sources: {
  watches: () => number;
  streams: () => number;
  running: () => number;
}): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const events = new Counter({
    name: "jobwire_job_events_total",
    help: "Events committed to logs of jobs by this process, by type.",
    labelNames: ["type"] as const,
    registers,
  });
  const rateLimited = new Counter({
    name: "jobwire_rate_limited_total",
    help: "Refusals of this process because of a limit, by the name of the limit.",
    labelNames: ["limit"] as const,
    registers,
  });
  for (const limit of LIMIT_NAMES) rateLimited.inc({ limit }, 0);
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge("jobwire_watches", "Open watches of this process.", sources.watches);
  gauge("jobwire_watched_streams", "Streams that are watched in this process.", sources.streams);
  gauge("jobwire_running_jobs", "Jobs that run in this process.", sources.running);

  return {
    onRateLimited: (limit) => rateLimited.inc({ limit }),
    onEvent: ({ type }) => events.inc({ type }),
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

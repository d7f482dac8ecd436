/**
 * The metrics of a process, for Prometheus. The layers below know nothing of Prometheus: each reports to a small interface of
 * its own, or counts in plain numbers that are read at a scrape.
 */
import { Registry } from "prom-client";
import type { EngineObserver } from "#server/engine/observe-engine.ts";
import type { Storage } from "#server/engine/storage.ts";
import type { RunnerObserver } from "#server/jobs/runner-observer.ts";
import type { LimitName } from "#server/limits/limits.ts";
import type { ScheduleObserver } from "#server/schedules/observer.ts";
import type { Streams } from "#server/streams/open.ts";
import type { TransportObserver } from "#server/transports/observer.ts";
import type { ConnectionUsage } from "#server/transports/usage.ts";
import type { JobEvent } from "#shared/events.ts";
import { observeCalls } from "./callers.ts";
import {
  observeLag,
  observeServer,
  readConnections,
  readStreams,
  type ServerObserver,
} from "./delivery.ts";
import { createInstruments } from "./instruments.ts";
import { observeRunner } from "./jobs.ts";
import { collectProcess } from "./process.ts";
import { readStorage } from "./storage.ts";

export interface Exposition {
  contentType: string;
  text: string;
}

/** The part of a transport that is counted. */
export interface Counted {
  usage?(): readonly ConnectionUsage[];
  readonly procedures?: readonly string[];
}

export interface Metrics {
  readonly engine: EngineObserver;
  readonly runner: RunnerObserver;
  readonly schedules: ScheduleObserver;
  readonly transports: TransportObserver;
  readonly server: ServerObserver;
  onEvent(event: JobEvent): void;
  /** See `OpenOptions` of engines. */
  onGroup(size: number): void;
  /** See `StreamsOptions`. */
  onDelivered(at: Date): void;
  /** A caller was refused because of this limit. */
  onRateLimited(limit: LimitName): void;
  /** Counts these transports from now on. */
  serve(transports: readonly Counted[]): void;
  /** Requests that arrive while it is computed share the result. */
  expose(): Promise<Exposition>;
}

export interface MetricsOptions {
  version: string;
  role: "all" | "gateway" | "worker";
  /** The names of the registered kinds. */
  kinds: readonly string[];
  /** Jobs that this process may run at the same time. */
  concurrency: number;
  now: () => Date;
}

/** Called at each scrape. */
export interface MetricsSources {
  streams: () => ReturnType<Streams["usage"]>;
  running: () => number;
  isDraining: () => boolean;
  isPaused: () => Promise<boolean>;
  engine: () => Storage & { readonly name: string; isAvailable(): boolean };
}

export function createMetrics(options: MetricsOptions, sources: MetricsSources): Metrics {
  const registry = new Registry();
  collectProcess(registry);
  const instruments = createInstruments(registry);
  const calls = observeCalls(instruments);
  const transports: Counted[] = [];
  let exposing: Promise<Exposition> | undefined;

  const { version, role } = options;
  instruments.concurrency.set(options.concurrency);

  async function read(): Promise<Exposition> {
    const engine = sources.engine();
    instruments.buildInfo.set({ version, role, engine: engine.name }, 1);
    instruments.engineAvailable.set(engine.isAvailable() ? 1 : 0);
    // A scrape says what it can, above all while the data cannot be read.
    readStorage(instruments, await engine.storage?.().catch(() => undefined));
    const paused = await sources.isPaused().catch(() => undefined);
    if (paused !== undefined) instruments.paused.set(paused ? 1 : 0);
    instruments.draining.set(sources.isDraining() ? 1 : 0);
    instruments.runningJobs.set(sources.running());
    readStreams(instruments, sources.streams());
    readConnections(
      instruments,
      transports.flatMap((transport) => transport.usage?.() ?? []),
    );
    return { contentType: registry.contentType, text: await registry.metrics() };
  }

  return {
    engine: {
      took: (operation, seconds) => instruments.engineOperation.observe({ operation }, seconds),
      failed: (code) => instruments.engineFailures.inc({ code }),
    },
    runner: observeRunner(instruments, options.kinds),
    schedules: {
      fired: (result) => instruments.scheduleFirings.inc({ result }),
      lagged: (seconds) => instruments.scheduleLag.observe(seconds),
    },
    transports: calls.observer,
    server: observeServer(instruments),
    onEvent: ({ type }) => instruments.jobEvents.inc({ type }),
    onGroup: (size) => instruments.engineGroup.observe(size),
    onDelivered: observeLag(instruments, options.now),
    onRateLimited: (limit) => instruments.rateLimited.inc({ limit }),
    serve(served) {
      transports.push(...served);
      calls.serve(served.flatMap(({ procedures = [] }) => procedures));
    },
    expose: () => (exposing ??= read().finally(() => (exposing = undefined))),
  };
}

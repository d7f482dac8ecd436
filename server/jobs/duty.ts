/**
 * The state of a worker, its orders, and what it tells the engine of itself.
 *
 *   running ── drain ──► draining ── no job is left ──► drained
 *      ▲                    │                              │
 *      └─────── run ────────┴──────────────────────────────┘      each ── stop ──► stopping
 */
import type { Logger } from "pino";
import type { Claim, WorkerOrder, WorkerStore } from "#server/engine/contract.ts";
import { wholeMessageOf } from "#shared/errors.ts";
import { MAX_WORKER_JOBS, MAX_WORKER_KINDS, type Worker, type WorkerJob } from "#shared/worker.ts";

/** The process, beside what it runs. */
export type WorkerIdentity = Pick<Worker, "name" | "host" | "pid" | "version">;

/** A job that the worker holds. */
export interface Held {
  claim: Claim;
  since: Date;
}

export interface Duty {
  /** True while it may claim jobs. */
  isOn(): boolean;
  /** True while an order keeps it from claiming. */
  isDraining(): boolean;
  /** To be called when a job or a claim has ended. */
  ended(): void;
  describe(): Worker;
  /** Announces the worker, and obeys its newest order. Never rejects. */
  beat(): Promise<void>;
  /** Obeys no more orders. It is announced as long as jobs run. */
  stop(): void;
  withdraw(): Promise<void>;
}

interface DutyOptions {
  workers: WorkerStore;
  id: string;
  identity: WorkerIdentity;
  kinds: Iterable<string>;
  slots: number;
  startedAt: Date;
  /** For how long an announcement holds: two heartbeats. */
  ttlMs: number;
  /** In the order in which they were taken. */
  held: ReadonlySet<Held>;
  isClaiming: () => boolean;
  /** Called when it may claim jobs again. */
  resume: () => void;
  log: Logger;
}

export function createDuty(options: DutyOptions): Duty {
  const { workers, id, identity, slots, startedAt, ttlMs, held, log } = options;
  const kinds = [...options.kinds];
  const fixed = { id, ...identity, slots, startedAt, kindCount: kinds.length };
  let state: "running" | "draining" | "drained" | "stopping" = "running";
  let unlisten: Promise<() => void> | undefined;
  let withdrawn = false;

  function describe(): Worker {
    const jobs = Array.from(held.values().take(MAX_WORKER_JOBS), shownJob);
    return { ...fixed, kinds: kinds.slice(0, MAX_WORKER_KINDS), state, running: held.size, jobs };
  }

  function obey(order: WorkerOrder): void {
    if (state === "stopping" || (state === "running") === (order === "run")) return;
    state = order === "run" ? "running" : "draining";
    log.info(order === "run" ? "This worker starts jobs again" : "This worker starts no more jobs");
    if (order === "run") options.resume();
    ended();
    void beat();
  }

  function ended(): void {
    if (state !== "draining" || held.size > 0 || options.isClaiming()) return;
    state = "drained";
    log.info("This worker is drained: it has no more jobs");
    void beat();
  }

  async function announce(ms: number): Promise<WorkerOrder | undefined> {
    try {
      return await workers.announce(describe(), ms);
    } catch (error) {
      log.warn({ reason: wholeMessageOf(error) }, "This worker could not be announced");
      return undefined;
    }
  }

  async function beat(): Promise<void> {
    if (withdrawn) return;
    unlisten ??= listen();
    const order = await announce(ttlMs);
    if (order !== undefined) obey(order);
  }

  async function listen(): Promise<() => void> {
    try {
      const leave = await workers.onOrder(id, () => void beat());
      // An order from before it listened.
      void beat();
      return leave;
    } catch {
      // The next heartbeat tries again, and learns of orders in any case.
      unlisten = undefined;
      return () => undefined;
    }
  }

  return {
    isOn: () => state === "running",
    isDraining: () => state === "draining" || state === "drained",
    ended,
    describe,
    beat,
    stop() {
      state = "stopping";
      void beat();
    },
    async withdraw() {
      withdrawn = true;
      // It may wait for a store that is away.
      void unlisten?.then((leave) => leave());
      await announce(0);
    },
  };
}

function shownJob({ claim: { jobId, job }, since }: Held): WorkerJob {
  const { kind, tenant, attempt } = job;
  return { id: jobId, kind, tenant, attempt, since };
}

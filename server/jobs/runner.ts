/**
 * Runs claimed jobs, a bounded number at a time.
 *
 * A job is held by a claim with a lease that is renewed while its code runs. Whoever loses the claim (cancelled,
 * or thought dead) cannot write any more: the engine refuses its token. So a job that runs twice by accident
 * still tells one story.
 */
import type { Logger } from "pino";
import type { Claim, Engine } from "#server/engine/contract.ts";
import type { AnyKind } from "#server/kinds/define.ts";
import { messageOf } from "#shared/errors.ts";
import { isSettled } from "#shared/job.ts";
import { attempt, type AttemptPolicy, LOST, SHUTDOWN } from "./attempt.ts";

export interface Runner {
  start(): void;
  /** Jobs that run now. */
  running(): number;
  /** Takes no more jobs, lets those that run finish for `graceMs`, then gives them back. */
  stop(graceMs: number): Promise<void>;
}

export interface RunnerOptions extends AttemptPolicy {
  engine: Engine;
  kinds: ReadonlyMap<string, AnyKind>;
  /** Tells this runner from others. */
  worker: string;
  concurrency: number;
  log: Logger;
  leaseMs?: number;
}

/** A runner that died is found after this long at the latest (where its engine cannot tell at once). */
const LEASE_MS = 30_000;
/** Work is looked for at least this often, also when no hint came. */
const LOOK_EVERY_MS = 2000;

interface Running {
  claim: Claim;
  controller: AbortController;
  done: Promise<void>;
}

export function createRunner(options: RunnerOptions): Runner {
  const { engine, worker, concurrency, log, leaseMs = LEASE_MS } = options;
  const running = new Map<string, Running>();
  const timers: NodeJS.Timeout[] = [];
  let unlisten: (() => void) | undefined;
  let stopped = false;
  let filling = false;
  let fillAgain = false;

  async function fill(): Promise<void> {
    if (filling) {
      fillAgain = true;
      return;
    }
    filling = true;
    try {
      do {
        fillAgain = false;
        const max = concurrency - running.size;
        if (stopped || max <= 0) break;
        const claims = await engine.claim({ worker, max, leaseMs, now: options.now() });
        claims.forEach(take);
      } while (fillAgain);
    } catch (error) {
      log.error({ err: error }, "No work could be claimed; it is tried again");
    } finally {
      filling = false;
    }
  }

  function take(claim: Claim): void {
    // Our own lease ran out while the code went on: it writes nothing any more.
    running.get(claim.jobId)?.controller.abort(LOST);
    const controller = new AbortController();
    const entry: Running = { claim, controller, done: Promise.resolve() };
    running.set(claim.jobId, entry);
    entry.done = hold(entry).finally(() => {
      if (running.get(claim.jobId) === entry) running.delete(claim.jobId);
      void fill();
    });
  }

  async function hold({ claim, controller }: Running): Promise<void> {
    const jobLog = log.child({ jobId: claim.jobId, kind: claim.job.kind });
    let unwatch: (() => void) | undefined;
    try {
      unwatch = await engine.onAppend({ stream: "job", jobId: claim.jobId }, ({ event }) => {
        if (event !== undefined && isSettled(event.status)) controller.abort(LOST);
      });
      if (stopped) controller.abort(SHUTDOWN);
      await attempt(claim, controller.signal, { ...options, log: jobLog });
    } catch (error) {
      // The engine could not store how it ended: the lease runs out, and the job is found again.
      jobLog.error({ err: error }, "The end of an attempt could not be stored");
    } finally {
      unwatch?.();
    }
  }

  async function renew(): Promise<void> {
    const claims = [...running.values()].map((entry) => entry.claim);
    if (claims.length === 0) return;
    try {
      for (const lost of await engine.renew(claims, leaseMs, options.now())) {
        const entry = running.get(lost.jobId);
        if (entry?.claim.token === lost.token) entry.controller.abort(LOST);
      }
    } catch (error) {
      log.warn({ reason: messageOf(error) }, "Leases could not be renewed; it is tried again");
    }
  }

  async function announce(): Promise<void> {
    try {
      await engine.announce(worker, leaseMs, options.now());
    } catch (error) {
      log.warn({ reason: messageOf(error) }, "This worker could not be announced");
    }
  }

  const allDone = () => Promise.all([...running.values()].map((entry) => entry.done));

  return {
    start() {
      unlisten = engine.onWork(() => void fill());
      timers.push(
        setInterval(() => void fill(), LOOK_EVERY_MS),
        setInterval(() => void Promise.all([renew(), announce()]), leaseMs / 3),
      );
      void announce();
      void fill();
    },
    running: () => running.size,
    async stop(graceMs) {
      stopped = true;
      unlisten?.();
      let timer: NodeJS.Timeout | undefined;
      const grace = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMs);
      });
      await Promise.race([allDone(), grace]);
      clearTimeout(timer);
      for (const { controller } of running.values()) controller.abort(SHUTDOWN);
      await allDone();
      timers.forEach((each) => clearInterval(each));
    },
  };
}

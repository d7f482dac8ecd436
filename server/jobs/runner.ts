/**
 * Runs claimed jobs, a bounded number at a time.
 *
 * A runner holds a job by a claim with a lease, which it renews while the code runs. A runner that loses the claim (the
 * job was cancelled, or the runner was taken for dead) cannot write any more: the engine refuses its token. So a job
 * that runs twice by accident still has one consistent log.
 */
import type { Logger } from "pino";
import type { Claim, Engine } from "#server/engine/contract.ts";
import { type AnyKind, DEFAULT_START } from "#server/kinds/define.ts";
import { limitsOfKinds } from "#server/kinds/policies.ts";
import { remoteKinds } from "#server/kinds/remote.ts";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import type { Clock } from "#shared/clock.ts";
import { asError, wholeMessageOf } from "#shared/errors.ts";
import { isSettled, type JobSummary } from "#shared/job.ts";
import type { Worker } from "#shared/worker.ts";
import { attempt, type AttemptPolicy, SHUTDOWN } from "./attempt.ts";
import { LOST } from "./claim-guard.ts";
import { createDuty, type Held, type WorkerIdentity } from "./duty.ts";
import { runForeign, warnOfStray } from "./foreign-code.ts";
import { longestBetween } from "./moment.ts";
import { observeClaim, outcomeOf, type RunnerObserver } from "./runner-observer.ts";

export interface Runner {
  start(): void;
  /** Jobs whose code runs now, or whose end is being stored. */
  running(): number;
  /** Its identity, and what it does at this moment. */
  describe(): Worker;
  /** It was told to start no more jobs. */
  isDraining(): boolean;
  /** Takes no more jobs, lets those that run finish for `graceMs`, then gives them back. */
  stop(graceMs: number): Promise<Stopped>;
}

/** The jobs that ran when a runner was stopped. */
export interface Stopped {
  finished: number;
  /** They run again after the next start. */
  givenBack: number;
}

export interface RunnerOptions extends AttemptPolicy {
  engine: Engine;
  kinds: ReadonlyMap<string, AnyKind>;
  /** The unique id of this runner. */
  worker: string;
  identity: WorkerIdentity;
  concurrency: number;
  log: Logger;
  leaseMs?: number;
  pollMs?: number;
  /** Renews leases at their time, ends attempts at theirs, and learns of the work of the runner. */
  timer?: Pick<Clock, "after" | "every" | "hold">;
  observer?: RunnerObserver | undefined;
}

/** A runner that died is found after this long at the latest (where its engine cannot tell at once). */
const LEASE_MS = 30_000;
/** The runner claims at least this often, even without hints. */
const LOOK_EVERY_MS = 2000;
/** Jobs that end sooner are not watched: a subscription costs as much as a short job. */
const WATCH_AFTER_MS = 100;

interface Running extends Held {
  controller: AbortController;
  /** Its code has returned; the end of the attempt is being stored. */
  returned: boolean;
  done: Promise<RunResult>;
}

type RunResult = "finished" | "given back" | "lost";

export function createRunner(options: RunnerOptions): Runner {
  const { engine, worker, concurrency, log, now } = options;
  const { leaseMs = LEASE_MS, pollMs = LOOK_EVERY_MS, timer = SYSTEM_CLOCK } = options;
  const { clock = () => performance.now() } = options;
  /** Those of this program, for all of its claims. */
  const limits = limitsOfKinds(options.kinds);
  const elsewhere = remoteKinds(options.kinds);
  const wanted = elsewhere.size === 0 ? undefined : { except: elsewhere };
  const moment = () => ({ wall: now(), steady: clock() });
  /** By claim and not by job: a job can come back before its old code has noticed. */
  const running = new Set<Running>();
  const timers: (() => void)[] = [];
  let unlisten: (() => void) | undefined;
  let filling: Promise<void> | undefined;
  let fillAgain = false;
  /** When all leases last had their full length. */
  let renewedAt = moment();

  const duty = createDuty({
    workers: engine.workers,
    id: worker,
    identity: options.identity,
    kinds: options.kinds.keys().filter((name) => !elsewhere.has(name)),
    slots: concurrency,
    startedAt: now(),
    ttlMs: (2 * leaseMs) / 3,
    held: running,
    isClaiming: () => filling !== undefined,
    resume: fill,
    log,
  });

  const start = ({ kind }: JobSummary) =>
    runForeign(warnOfStray, () => options.kinds.get(kind)?.start ?? DEFAULT_START);

  function fill(): void {
    if (!duty.isOn()) return;
    fillAgain = filling !== undefined;
    if (filling !== undefined) return;
    filling = fillUp().finally(() => {
      filling = undefined;
      if (fillAgain) fill();
      duty.ended();
    });
    timer.hold(filling);
  }

  /**
   * How many jobs may be claimed. Jobs whose end is being stored do not count as running, but their number is bounded
   * too.
   */
  function room(): number {
    const busy = Array.from(running).filter(({ returned }) => !returned).length;
    return Math.min(concurrency - busy, 2 * concurrency - running.size);
  }

  async function fillUp(): Promise<void> {
    // Attempts that one commit started may end together: one claim then replaces all of them.
    await Promise.resolve();
    const max = room();
    if (max <= 0 || !duty.isOn()) return;
    try {
      // After sleep, renew first: this process must not claim its own jobs as those of a dead runner.
      if (longestBetween(renewedAt, moment()) > leaseMs / 2) await renew();
      const asked = { worker, max, leaseMs, now: now(), limits, wanted, start };
      const claims = await engine.claim(asked);
      claims.forEach(take);
    } catch (error) {
      log.error({ err: asError(error) }, "No job could be claimed. The runner tries again");
    }
  }

  function take(claim: Claim): void {
    // Our own lease ran out while the old code went on: stop it.
    for (const earlier of running) {
      if (earlier.claim.jobId === claim.jobId) earlier.controller.abort(LOST);
    }
    const run: Running = {
      claim,
      since: now(),
      controller: new AbortController(),
      returned: false,
      done: Promise.resolve("lost"),
    };
    running.add(run);
    run.done = hold(run).finally(() => {
      running.delete(run);
      fill();
      duty.ended();
    });
    timer.hold(run.done, "attempt");
  }

  async function hold(run: Running): Promise<RunResult> {
    const { claim, controller } = run;
    const { jobId, job } = claim;
    const jobLog = log.child({ jobId, kind: job.kind });
    const unwatch = watch(run, jobLog);
    const over = observeClaim(claim, options.observer, clock);
    try {
      const end = await attempt(claim, controller, {
        ...options,
        log: jobLog,
        returned() {
          run.returned = true;
          // So that the next claim shares a commit with the end of this one.
          fill();
        },
      });
      over(outcomeOf(end));
      if (end === undefined) return "lost";
      return end.action === "release" ? "given back" : "finished";
    } catch (error) {
      over("unstored");
      // The lease runs out, and the job is claimed again.
      jobLog.error(
        { err: asError(error) },
        "The end of an attempt could not be stored. The job is claimed again when its lease ends",
      );
      return "given back";
    } finally {
      unwatch();
    }
  }

  /** Stops the code of a job that is cancelled, or lost, until the function that it returns is called. */
  function watch(run: Running, jobLog: Logger): () => void {
    const { claim, controller } = run;
    const { jobId, job } = claim;
    let watching: Promise<() => void> | undefined;
    function look(): void {
      if (run.returned) return;
      renewLeases([run], now()).catch((error: unknown) => {
        // The next renewal of the lease notices a lost claim.
        jobLog.warn({ reason: wholeMessageOf(error) }, "A running job could not be checked");
      });
    }
    const watchLater = setTimeout(() => {
      watching = engine.onAppend({ stream: "job", jobId }, ({ event }) => {
        // Hints may have been lost: look.
        if (event === undefined) return look();
        if (!isSettled(event.status)) return;
        // A late hint may be about an earlier attempt; and this attempt's own end is none of its concern.
        if (event.seq > job.version && !run.returned) controller.abort(LOST);
      });
      watching
        // The claim may have been lost before the subscription.
        .then(look)
        .catch((error: unknown) => {
          // The next renewal of the lease notices a lost claim.
          jobLog.warn({ reason: wholeMessageOf(error) }, "A running job could not be watched");
        });
    }, WATCH_AFTER_MS);
    return () => {
      clearTimeout(watchLater);
      watching?.then(
        (unwatch) => unwatch(),
        () => undefined,
      );
    };
  }

  async function renewLeases(runs: readonly Running[], asked: Date): Promise<void> {
    if (runs.length === 0) return;
    const claims = runs.map((run) => run.claim);
    for (const { jobId, token } of await engine.renew(claims, leaseMs, asked)) {
      runs
        .find(({ claim }) => claim.jobId === jobId && claim.token === token)
        ?.controller.abort(LOST);
    }
  }

  async function renew(): Promise<void> {
    try {
      const asked = moment();
      await renewLeases([...running], asked.wall);
      renewedAt = asked;
    } catch (error) {
      log.warn(
        { reason: wholeMessageOf(error) },
        "Leases could not be renewed. The runner tries again",
      );
    }
  }

  /** Runs whose claim still holds. A stop does not wait for code that lost its claim. */
  const ours = (runs: Iterable<Running>) =>
    [...runs].filter(({ controller }) => controller.signal.reason !== LOST);
  const allDone = (runs: readonly Running[]) => Promise.all(ours(runs).map((run) => run.done));

  return {
    start() {
      unlisten = engine.onWork(fill);
      // By the machine's clock: a safety net, which also keeps the process alive.
      const poll = setInterval(fill, pollMs);
      const keepUp = () => timer.hold(Promise.all([renew(), duty.beat()]));
      timers.push(() => clearInterval(poll), timer.every(leaseMs / 3, keepUp));
      void duty.beat();
      fill();
    },
    running: () => running.size,
    describe: duty.describe,
    isDraining: duty.isDraining,
    async stop(graceMs) {
      duty.stop();
      unlisten?.();
      // Jobs of a claim under way are ours, and get the same grace.
      await filling;
      let patience: NodeJS.Timeout | undefined;
      const grace = new Promise<void>((resolve) => {
        patience = setTimeout(resolve, graceMs);
      });
      const held = ours(running);
      await Promise.race([allDone(held), grace]);
      clearTimeout(patience);
      for (const { controller } of running) controller.abort(SHUTDOWN);
      const results = await allDone(held);
      timers.forEach((end) => end());
      await duty.withdraw();
      const count = (result: RunResult) => results.filter((each) => each === result).length;
      return { finished: count("finished"), givenBack: count("given back") };
    },
  };
}

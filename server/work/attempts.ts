/** How attempts of workers elsewhere start and end, whether their workers tell so or not. */
import type { Logger } from "pino";
import type { Claim, ClaimRef, Engine } from "#server/engine/contract.ts";
import { afterLease } from "#server/jobs/lost-attempt.ts";
import type { Ending, RetryPolicy } from "#server/jobs/retry.ts";
import { outcomeOf, type RunnerObserver } from "#server/jobs/runner-observer.ts";
import type { AnyKind } from "#server/kinds/define.ts";
import { asError } from "#shared/errors.ts";
import type { JobSummary } from "#shared/job.ts";

export interface AttemptsOptions extends RetryPolicy {
  engine: Pick<Engine, "change">;
  kinds: ReadonlyMap<string, AnyKind>;
  now: () => Date;
  observer?: RunnerObserver | undefined;
  log: Logger;
}

export interface Attempts {
  /** A worker got it. */
  started(claim: Claim): void;
  /** Stores the end of an attempt. Rejects as a change does. */
  end(job: JobSummary, ending: Ending, claim: ClaimRef): Promise<JobSummary>;
  /**
   * Ends a claim that no worker gets: its job lost its runner, cannot run, or goes back into the queue. Never rejects: what cannot be
   * stored is claimed again when its lease ends.
   */
  putBack(claim: Claim): Promise<void>;
}

const LEFT: Ending = {
  action: "release",
  message: "Job given back - No worker took it",
  delayMs: 0,
  counts: false,
};

export function createAttempts(options: AttemptsOptions): Attempts {
  const { engine, kinds, now, observer, log } = options;

  async function store(job: JobSummary, ending: Ending, claim: ClaimRef): Promise<JobSummary> {
    const changed = await engine.change(job.id, ending, now(), claim);
    const ms = now().getTime() - (job.startedAt ?? now()).getTime();
    const { attempt, kind, id: jobId } = job;
    const outcome = outcomeOf(ending);
    log.info({ jobId, kind, attempt, ms, outcome }, "The attempt of a worker elsewhere ended");
    observer?.ended(kind, outcome, Math.max(0, ms) / 1000);
    return changed.job;
  }

  function endingOf({ job, started, fault }: Claim): Ending {
    if (started === null) return afterLease(job, kinds.get(job.kind), options, now());
    return fault === undefined ? LEFT : { action: "fail", error: fault };
  }

  return {
    started({ job }) {
      const { attempt, kind, id: jobId } = job;
      log.info({ jobId, kind, attempt }, "A worker elsewhere started a job");
      if (attempt > 1) return;
      const ms = (job.startedAt ?? now()).getTime() - job.createdAt.getTime();
      observer?.waited(kind, Math.max(0, ms) / 1000);
    },
    end: store,
    async putBack(claim) {
      if (claim.started === null) observer?.recovered(claim.job.kind);
      try {
        await store(claim.job, endingOf(claim), claim);
      } catch (error) {
        const { jobId } = claim;
        log.warn({ jobId, err: asError(error) }, "A job could not be given back yet");
      }
    },
  };
}

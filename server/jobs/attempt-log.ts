/** What an operator reads of an attempt: a line when it starts and one when it ends, none between. */
import type { Logger } from "pino";
import type { JobSummary } from "#shared/job.ts";
import type { Ending } from "./retry.ts";

export interface AttemptLog {
  started(): void;
  /** `ending` is in the record now. */
  ended(ending: Ending): void;
  /** Somebody else says what becomes of the job. */
  lost(): void;
}

/** `job` as it is in the attempt, which begins now. `clock`: milliseconds, and never goes back. */
export function createAttemptLog(
  log: Logger,
  { attempt }: JobSummary,
  clock: () => number = () => performance.now(),
): AttemptLog {
  const begin = clock();
  const took = () => ({ attempt, ms: Math.round(clock() - begin) });
  return {
    started: () => log.info({ attempt }, "job started"),
    ended(ending) {
      switch (ending.action) {
        case "deliver":
          return log.info(took(), "job delivered");
        case "block":
          return log.info({ ...took(), reason: ending.message }, "job blocked");
        case "fail": {
          const { code, message: reason } = ending.error;
          return log.info({ ...took(), code, reason }, "job aborted");
        }
        case "release":
          // What uses up a retry went wrong; the rest was given back by a shutdown.
          return ending.counts
            ? log.warn({ ...took(), reason: ending.message }, "job to be tried again")
            : log.info(took(), "job given back; it goes on after the next start");
      }
    },
    lost: () => log.info(took(), "job left: it was cancelled, or another runner has it"),
  };
}

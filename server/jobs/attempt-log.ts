/** The log lines of an attempt, for operators: one when it starts and one when it ends, none between. */
import type { Logger } from "pino";
import type { JobSummary } from "#shared/job.ts";
import type { Ending } from "./retry.ts";

export interface AttemptLog {
  started(): void;
  /** Call when `ending` is stored. */
  ended(ending: Ending): void;
  /** The claim is lost: the job was cancelled, or another runner has it. */
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
          // A release that counts as a retry follows an error; any other is that of a shutdown.
          return ending.counts
            ? log.warn({ ...took(), reason: ending.message }, "job released for a retry")
            : log.info(took(), "job given back; it runs again after the next start");
      }
    },
    lost: () => log.info(took(), "job left: it was cancelled, or another runner has it"),
  };
}

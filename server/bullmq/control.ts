/** Cancels and retries jobs by the program's own `Queue` of BullMQ: no key of it is written past the library. */
import type { Control } from "#server/sources/control.ts";
import { AppError, messageOf } from "#shared/errors.ts";
import type { JobSummary } from "#shared/job.ts";
import type { BullmqDetails } from "./bullmq-details.ts";
import type { BullmqControl, BullmqControlledJob } from "./options.ts";

/** BullMQ's words for a job that runs, and for one whose state does not allow it. */
const REFUSED = /locked|scheduler|not in the failed state|could not be|is not in/i;

export function createControl(queue: BullmqControl): Control {
  async function ask(
    job: JobSummary,
    what: string,
    command: (original: BullmqControlledJob) => Promise<unknown>,
  ): Promise<void> {
    const { id, timestamp } = job.details as BullmqDetails;
    let original: BullmqControlledJob | null | undefined;
    try {
      original = await queue.getJob(id);
      // An id that is used again is another job.
      if (original && (timestamp === undefined || original.timestamp === timestamp)) {
        await command(original);
        return;
      }
    } catch (cause) {
      const reason = messageOf(cause);
      if (!REFUSED.test(reason)) {
        throw new AppError("UNAVAILABLE", `BullMQ could not ${what} job ${job.id}. Try again.`, {
          cause,
        });
      }
      throw new AppError(
        "ILLEGAL_TRANSITION",
        `BullMQ does not ${what} job ${job.id} as it is now: one that runs can only be ended by its worker.`,
        { cause },
      );
    }
    throw new AppError(
      "ILLEGAL_TRANSITION",
      `BullMQ has forgotten job ${job.id}: it cannot ${what} it.`,
    );
  }

  return {
    cancel: (job) => ask(job, "cancel", (original) => original.remove()),
    retry: (job) => ask(job, "retry", (original) => original.retry("failed")),
  };
}

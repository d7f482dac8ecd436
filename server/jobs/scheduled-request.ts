/** A job that a schedule creates. */
import type { StandingOptions } from "#shared/create-options.ts";
import type { Owner } from "#shared/principal.ts";
import type { JobRequest } from "./validate-request.ts";

export interface ScheduledRequest extends JobRequest, StandingOptions {
  scheduleId: string;
  /** `null`: the kind makes it from the input. */
  title: string | null;
  /** Absent: the job belongs to the principal. */
  owner?: Owner | undefined;
  idempotencyKey?: string | undefined;
  /** Absent for a firing by plan, which no command caused. */
  action?: "schedule.trigger" | undefined;
}

/** Appearance of the states of jobs and batches. */
import { Ban, CircleCheck, CircleDashed, LoaderCircle, ShieldAlert } from "lucide-react";
import { entryOf } from "#client/app/entry-of.ts";
import type { BatchAggregate, BatchStatus } from "#shared/batch.ts";
import type { JobStatus } from "#shared/job.ts";
import type { Look } from "./badge.tsx";

const WAITING = { Icon: CircleDashed, className: "bg-sunken text-muted", bar: "bg-muted" };
const MOVING = {
  Icon: LoaderCircle,
  className: "bg-accent-soft text-accent",
  bar: "bg-accent",
  moves: true,
};
const GOOD = { Icon: CircleCheck, className: "bg-good-soft text-good", bar: "bg-good" };
const WARNING = { Icon: ShieldAlert, className: "bg-warn-soft text-warn", bar: "bg-warn" };
const BAD = { Icon: Ban, className: "bg-bad-soft text-bad", bar: "bg-bad" };

export const JOB_LOOK: Record<JobStatus, Look> = {
  PENDING: { word: "Pending", ...WAITING },
  PROCESSING: { word: "Processing", ...MOVING },
  DELIVERED: { word: "Delivered", ...GOOD },
  BLOCKED: { word: "Blocked", ...WARNING },
  ABORTED: { word: "Aborted", ...BAD },
};

const BATCH_LOOK: Record<BatchStatus, Look> = {
  pending: { word: "Pending", ...WAITING },
  running: { word: "Running", ...MOVING },
  completed: { word: "Completed", ...GOOD },
  failed: { word: "Failed", ...BAD },
};

export function lookOfJob(status: JobStatus): Look {
  return entryOf(JOB_LOOK, status) ?? { word: status, ...WAITING };
}

/** A completed batch with blocked jobs still needs a person's decisions. */
export function lookOfBatch({ status, blocked }: Pick<BatchAggregate, "status" | "blocked">): Look {
  if (status !== "completed" || blocked === 0) {
    return entryOf(BATCH_LOOK, status) ?? { word: status, ...WAITING };
  }
  return { word: `${blocked} to decide`, ...WARNING };
}

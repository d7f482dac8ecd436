/** How the states of jobs and batches look. */
import { Ban, CircleCheck, CircleDashed, LoaderCircle, ShieldAlert } from "lucide-react";
import type { BatchStatus } from "#shared/batch.ts";
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
const BAD = { Icon: Ban, className: "bg-bad-soft text-bad", bar: "bg-bad" };

export const JOB_LOOK: Record<JobStatus, Look> = {
  PENDING: { word: "Pending", ...WAITING },
  PROCESSING: { word: "Processing", ...MOVING },
  DELIVERED: { word: "Delivered", ...GOOD },
  BLOCKED: {
    word: "Blocked",
    Icon: ShieldAlert,
    className: "bg-warn-soft text-warn",
    bar: "bg-warn",
  },
  ABORTED: { word: "Aborted", ...BAD },
};

export const BATCH_LOOK: Record<BatchStatus, Look> = {
  pending: { word: "Pending", ...WAITING },
  running: { word: "Running", ...MOVING },
  completed: { word: "Completed", ...GOOD },
  failed: { word: "Failed", ...BAD },
};

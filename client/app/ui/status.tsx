import { Ban, CircleCheck, CircleDashed, LoaderCircle, ShieldAlert } from "lucide-react";
import type { JobStatus } from "#shared/job.ts";

/** Colour is never alone: each status has a word and a sign of its own. */
export const STATUS_LOOK = {
  PENDING: {
    word: "Pending",
    Icon: CircleDashed,
    className: "bg-sunken text-muted",
    bar: "bg-muted",
  },
  PROCESSING: {
    word: "Processing",
    Icon: LoaderCircle,
    className: "bg-accent-soft text-accent",
    bar: "bg-accent",
  },
  DELIVERED: {
    word: "Delivered",
    Icon: CircleCheck,
    className: "bg-good-soft text-good",
    bar: "bg-good",
  },
  BLOCKED: {
    word: "Blocked",
    Icon: ShieldAlert,
    className: "bg-warn-soft text-warn",
    bar: "bg-warn",
  },
  ABORTED: { word: "Aborted", Icon: Ban, className: "bg-bad-soft text-bad", bar: "bg-bad" },
} as const satisfies Record<JobStatus, unknown>;

export function StatusBadge({ status }: { status: JobStatus }) {
  const { word, Icon, className } = STATUS_LOOK[status];
  return (
    <span
      data-status={status}
      className={`inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs font-medium ${className}`}
    >
      <Icon aria-hidden className={`size-3.5 ${status === "PROCESSING" ? "animate-spin" : ""}`} />
      {word}
    </span>
  );
}

export function ProgressBar(props: {
  percent: number;
  label: string;
  bar: string;
  thin?: boolean;
}) {
  return (
    <div
      role="progressbar"
      aria-label={props.label}
      aria-valuenow={props.percent}
      aria-valuemin={0}
      aria-valuemax={100}
      className={`w-full overflow-hidden rounded-full bg-sunken ${props.thin === true ? "h-1.5" : "h-2.5"}`}
    >
      <div
        className={`h-full rounded-full transition-[width] duration-300 ${props.bar}`}
        style={{ width: `${props.percent}%` }}
      />
    </div>
  );
}

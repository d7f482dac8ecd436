import { Ban, CircleCheck, CircleDashed, LoaderCircle } from "lucide-react";
import type { BatchStatus } from "#shared/batch.ts";

export const BATCH_LOOK = {
  pending: {
    word: "Pending",
    Icon: CircleDashed,
    className: "bg-sunken text-muted",
    bar: "bg-muted",
  },
  running: {
    word: "Running",
    Icon: LoaderCircle,
    className: "bg-accent-soft text-accent",
    bar: "bg-accent",
  },
  completed: {
    word: "Completed",
    Icon: CircleCheck,
    className: "bg-good-soft text-good",
    bar: "bg-good",
  },
  failed: { word: "Failed", Icon: Ban, className: "bg-bad-soft text-bad", bar: "bg-bad" },
} as const satisfies Record<BatchStatus, unknown>;

export function BatchBadge({ status }: { status: BatchStatus }) {
  const { word, Icon, className } = BATCH_LOOK[status];
  return (
    <span
      data-status={status}
      className={`inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs font-medium ${className}`}
    >
      <Icon aria-hidden className={`size-3.5 ${status === "running" ? "animate-spin" : ""}`} />
      {word}
    </span>
  );
}

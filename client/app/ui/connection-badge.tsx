import { useConnection } from "#client/lib/react.tsx";
import type { Connection } from "#client/lib/connection.ts";

const LOOK: Record<Connection, { dot: string; text: string; title: string }> = {
  connecting: {
    dot: "bg-muted animate-pulse",
    text: "connecting",
    title: "Connecting to the server",
  },
  live: { dot: "bg-good", text: "live", title: "Everything you see is current" },
  stale: {
    dot: "bg-warn animate-pulse",
    text: "stale",
    title: "A connection was lost. This page may be out of date; it catches up by itself.",
  },
};

export function ConnectionBadge() {
  const connection = useConnection();
  const { dot, text, title } = LOOK[connection];
  return (
    <span
      role="status"
      title={title}
      data-connection={connection}
      className={`inline-flex items-center gap-1.5 rounded-full border px-2.5 py-1 text-xs font-medium ${
        connection === "stale" ? "border-warn bg-warn-soft text-warn" : "border-line text-muted"
      }`}
    >
      <span aria-hidden className={`size-2 rounded-full ${dot}`} />
      <span className="sr-only">Connection: </span>
      {text}
    </span>
  );
}

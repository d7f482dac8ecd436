import { WifiOff } from "lucide-react";
import { useConnection } from "#client/lib/react.tsx";

/** Warns above every page while its data may be out of date. */
export function StaleBanner() {
  if (useConnection() !== "stale") return null;
  return (
    <div className="border-b border-warn/40 bg-warn-soft text-sm text-warn">
      <p className="mx-auto flex max-w-6xl items-start gap-2 px-4 py-2 sm:px-6">
        <WifiOff aria-hidden className="mt-1 size-4 shrink-0" />
        The connection to the server was lost, or the server cannot reach its data. This page may be
        out of date; jobs keep running, and it catches up by itself.
      </p>
    </div>
  );
}

import { WifiOff } from "lucide-react";
import { useConnection } from "#client/lib/react.tsx";

/** Above whatever is shown, while it may be old. */
export function StaleBanner() {
  if (useConnection() !== "stale") return null;
  return (
    <p className="border-b border-warn/40 bg-warn-soft px-4 py-2 text-sm text-warn sm:px-6">
      <span className="mx-auto flex max-w-6xl items-center gap-2 sm:px-2">
        <WifiOff aria-hidden className="size-4 shrink-0" />
        The connection was lost. What you see may be old; jobs go on, and this page catches up by
        itself.
      </span>
    </p>
  );
}

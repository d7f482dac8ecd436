import type { LucideIcon } from "lucide-react";

/** How a state looks. Colour is never alone: each has a word and a sign of its own. */
export interface Look {
  word: string;
  Icon: LucideIcon;
  className: string;
  /** The colour of a progress bar in this state. */
  bar: string;
  /** Something goes on. */
  moves?: boolean;
}

export function Badge({ status, look }: { status: string; look: Look }) {
  return (
    <span
      data-status={status}
      className={`inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs font-medium ${look.className}`}
    >
      <look.Icon aria-hidden className={`size-3.5 ${look.moves === true ? "animate-spin" : ""}`} />
      {look.word}
    </span>
  );
}

import type { LucideIcon } from "lucide-react";

/** Appearance of a state. Each has a word and an icon of its own, because colour alone is not accessible. */
export interface Look {
  word: string;
  Icon: LucideIcon;
  className: string;
  /** Colour of the progress bar. */
  bar: string;
  /** True where the icon is animated. */
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

import { PencilLine } from "lucide-react";
import { writingNow } from "#client/app/present.ts";
import type { TypingResult } from "#client/lib/react.tsx";

/** The others who write a note about the job. The element stays, so that screen readers tell of its text. */
export function WritingNow({ typing }: { typing: Pick<TypingResult, "people" | "count"> }) {
  const text = writingNow(typing.people, typing.count);
  return (
    <p role="status" className="flex min-w-0 items-center gap-1.5 text-sm leading-5 text-muted">
      {text !== "" && (
        <>
          <PencilLine aria-hidden className="size-4 shrink-0" />
          <span className="truncate">{text}</span>
        </>
      )}
    </p>
  );
}

import { type UIEvent, useLayoutEffect, useRef } from "react";

/** How near to its end a reader must be for the text to follow the writer. */
const NEAR_PX = 48;

/** A draft. While it is written it scrolls along, unless the reader went back to read; then it is shown from its top. */
export function DraftView({ text, isWritten }: { text: string; isWritten: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);

  useLayoutEffect(() => {
    if (isWritten) box.current?.scrollTo({ top: 0 });
    else if (follows.current) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [text, isWritten]);

  function onScroll({ currentTarget }: UIEvent<HTMLDivElement>) {
    const { scrollHeight, scrollTop, clientHeight } = currentTarget;
    follows.current = scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  return (
    <div
      ref={box}
      onScroll={onScroll}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
      tabIndex={0}
      role="region"
      aria-label="Draft"
      data-testid="draft"
      className={`max-h-[32rem] overflow-y-auto whitespace-pre-wrap break-words ${isWritten ? "" : "min-h-48"}`}
    >
      <DraftText text={text} />
      {!isWritten && (
        <span
          aria-hidden
          className="ml-0.5 inline-block h-4 w-0.5 animate-pulse bg-accent align-middle"
        />
      )}
    </div>
  );
}

/** Headings and links of Markdown; the rest stands as it is written. */
function DraftText({ text }: { text: string }) {
  return text.split(/^(#{1,3} .*)$|(\[[^\]\n]+\]\([^)\s]*\))/m).map((part, index) => {
    // Parts only grow at the end, so that a part's place is its name.
    /* oxlint-disable react/no-array-index-key */
    if (part?.startsWith("#")) {
      return (
        <strong key={index} className="text-base font-semibold">
          {part.replace(/^#+ /, "")}
        </strong>
      );
    }
    const link = part?.match(/^\[([^\]]+)\]\(/);
    return link == null ? (
      part
    ) : (
      <span key={index} className="text-accent underline underline-offset-2">
        {link[1]}
      </span>
    );
    /* oxlint-enable react/no-array-index-key */
  });
}

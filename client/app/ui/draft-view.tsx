import { Fragment, type UIEvent, useLayoutEffect, useRef } from "react";
import { draftParts } from "#client/app/draft-parts.ts";

/** Scroll distance from the end within which the view follows new text. */
const NEAR_PX = 48;

/**
 * A draft. While it is written it scrolls along in a box, unless the reader has scrolled up. A finished draft is shown
 * whole.
 */
export function DraftView({ text, isWritten }: { text: string; isWritten: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);

  useLayoutEffect(() => {
    // Follow the next attempt from its beginning.
    if (isWritten) follows.current = true;
    else if (follows.current) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [text, isWritten]);

  function onScroll({ currentTarget }: UIEvent<HTMLDivElement>) {
    const { scrollHeight, scrollTop, clientHeight } = currentTarget;
    follows.current = scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  const look = "whitespace-pre-wrap break-words";
  if (isWritten) {
    return (
      <div data-testid="draft" className={look}>
        <DraftText text={text} />
      </div>
    );
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
      className={`max-h-[32rem] min-h-48 overflow-y-auto ${look}`}
    >
      <DraftText text={text} />
      <span
        aria-hidden
        data-testid="caret"
        className="ml-0.5 inline-block h-4 w-0.5 animate-pulse bg-accent align-middle"
      />
    </div>
  );
}

/** Headings and links rendered; other Markdown as plain text. */
function DraftText({ text }: { text: string }) {
  // Parts are only appended, so their positions are stable keys.
  /* oxlint-disable react/no-array-index-key */
  return draftParts(text).map((part, index) => {
    if (part.type === "plain") return <Fragment key={index}>{part.text}</Fragment>;
    return part.type === "heading" ? (
      <strong key={index} className="text-base font-semibold">
        {part.text}
      </strong>
    ) : (
      <span key={index} className="text-accent underline underline-offset-2">
        {part.text}
      </span>
    );
  });
  /* oxlint-enable react/no-array-index-key */
}

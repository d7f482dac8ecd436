/** The lines that a job's kind has logged, for the people who work with the job. */
import { Fragment, memo, type UIEvent, useLayoutEffect, useRef } from "react";
import { entryOf } from "#client/app/entry-of.ts";
import { plainLine } from "#client/app/plain-text.ts";
import { useJobLogs } from "#client/lib/react.tsx";
import type { LogLevel, LogLine } from "#shared/log-line.ts";
import { pluralize } from "#shared/pluralize.ts";
import { Card } from "./card.tsx";
import { Clock } from "./time.tsx";

/** Scroll distance from the end within which the view follows new lines. */
const NEAR_PX = 48;

const LEVEL_LOOK: Record<LogLevel, string> = {
  debug: "text-muted",
  info: "text-accent",
  warn: "text-warn font-semibold",
  error: "text-bad font-semibold",
};

export function JobLog({ jobId }: { jobId: string }) {
  const { lines } = useJobLogs(jobId);
  return lines.length === 0 ? null : <Lines lines={lines} />;
}

/** Scrolls along in a box, unless the reader has scrolled up. */
function Lines({ lines }: { lines: readonly LogLine[] }) {
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);

  useLayoutEffect(() => {
    if (follows.current) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [lines]);

  function onScroll({ currentTarget }: UIEvent<HTMLDivElement>) {
    const { scrollHeight, scrollTop, clientHeight } = currentTarget;
    follows.current = scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  const before = (lines[0]?.seq ?? 1) - 1;
  return (
    <Card
      title="Log"
      actions={<p className="text-sm text-muted">{pluralize(lines.length, "line")}</p>}
    >
      <div
        ref={box}
        onScroll={onScroll}
        role="group"
        aria-label="Log of the job"
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
        tabIndex={0}
        className="max-h-80 overflow-y-auto font-mono text-[0.8125rem] leading-normal"
      >
        {before > 0 && (
          <p className="mb-1 text-muted">{pluralize(before, "older line")} not kept</p>
        )}
        <ol className="space-y-1 sm:space-y-0.5">
          {lines.map((line, index) => (
            <Fragment key={line.seq}>
              {line.attempt > 1 && line.attempt !== lines[index - 1]?.attempt && (
                <li className="border-t border-line pt-1 text-muted">Attempt {line.attempt}</li>
              )}
              <Line line={line} />
            </Fragment>
          ))}
        </ol>
      </div>
    </Card>
  );
}

/**
 * The message stands below the time and the level where the screen is narrow. Lines never change: so a new one renders none of the
 * thousand before it.
 */
const Line = memo(function Line({ line: { at, level, message } }: { line: LogLine }) {
  return (
    <li className="flex flex-wrap gap-x-3 sm:grid sm:grid-cols-[auto_3rem_minmax(0,1fr)]">
      <span className="text-muted">
        <Clock at={at} />
      </span>
      <span className={entryOf(LEVEL_LOOK, level) ?? "text-muted"}>{level}</span>
      <bdi className="w-full min-w-0 wrap-anywhere whitespace-pre-wrap sm:w-auto">
        {plainLine(message)}
      </bdi>
    </li>
  );
});

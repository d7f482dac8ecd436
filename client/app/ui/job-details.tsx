/** The state that a job's kind reports beside percent and message, of whatever shape: an object as rows, anything else as JSON. */
import { Fragment } from "react";
import { Breakable } from "./breakable.tsx";
import { Card } from "./card.tsx";

export function JobDetails({ details }: { details: unknown }) {
  if (details === undefined) return null;
  const rows = rowsOf(details);
  return (
    <Card title="Details">
      <div
        role="group"
        aria-label="Details of the job"
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
        tabIndex={0}
        className="max-h-80 overflow-y-auto text-sm"
      >
        {rows === undefined ? (
          <Value value={details} />
        ) : (
          <dl className="grid gap-x-6 gap-y-2 sm:grid-cols-[10rem_1fr]">
            {rows.map(([name, value]) => (
              <Fragment key={name}>
                <dt className="min-w-0 wrap-anywhere text-muted">
                  <bdi>{name}</bdi>
                </dt>
                <dd className="min-w-0 wrap-anywhere">
                  <Value value={value} />
                </dd>
              </Fragment>
            ))}
          </dl>
        )}
      </div>
    </Card>
  );
}

function rowsOf(details: unknown): [string, unknown][] | undefined {
  if (typeof details !== "object" || details === null || Array.isArray(details)) return undefined;
  return Object.entries(details);
}

/** Isolated, because text of one direction must not reorder what stands beside it. */
function Value({ value }: { value: unknown }) {
  const text = typeof value === "string" ? value : jsonOf(value);
  return (
    <bdi className="wrap-anywhere whitespace-pre-wrap">
      <Breakable text={text} />
    </bdi>
  );
}

/** JSON of up to this many characters is on one line. */
const SHORT = 80;

function jsonOf(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= SHORT ? text : JSON.stringify(value, null, 2);
}

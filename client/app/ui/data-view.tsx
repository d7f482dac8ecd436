/** A value of whatever shape: an object as names and values, a text as it is, anything else as JSON. */
import { Fragment } from "react";
import { cutText } from "#shared/cut-text.ts";
import { pluralize } from "#shared/pluralize.ts";
import { Breakable } from "./breakable.tsx";

const MOST_ROWS = 500;
/** Of one value, in characters. An output may have millions, which no one reads and a browser lays out slowly. */
const MOST_CHARS = 50_000;

export function DataView({ value }: { value: unknown }) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return <Value value={value} />;
  }
  return <Rows rows={Object.entries(value)} />;
}

export function Rows({ rows }: { rows: readonly [string, unknown][] }) {
  const left = rows.length - MOST_ROWS;
  if (rows.length === 0) return <Value value={{}} />;
  return (
    <>
      <dl className="grid gap-x-6 gap-y-2 sm:grid-cols-[10rem_1fr]">
        {rows.slice(0, MOST_ROWS).map(([name, value]) => (
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
      {left > 0 && <p className="mt-2 text-muted">And {pluralize(left, "more row")}.</p>}
    </>
  );
}

/** Isolated, because text of one direction must not reorder what stands beside it. */
function Value({ value }: { value: unknown }) {
  const text = typeof value === "string" ? value : jsonOf(value);
  const isJson = typeof value === "object" && value !== null;
  return (
    <bdi
      className={`wrap-anywhere whitespace-pre-wrap ${isJson ? "font-mono text-[0.8125rem]" : ""}`}
    >
      <Breakable text={cutText(text, MOST_CHARS)} />
    </bdi>
  );
}

/** JSON of up to this many characters is on one line. */
const SHORT = 80;

function jsonOf(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text.length <= SHORT ? text : JSON.stringify(value, null, 2);
}

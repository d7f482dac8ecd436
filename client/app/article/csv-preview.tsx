import { cutText } from "#shared/cut-text.ts";
import { pluralize } from "#shared/pluralize.ts";
import { type CsvRow, nameOf } from "./csv.ts";

const MOST_GOOD = 20;
const MOST_BAD = 100;
/** In characters: longer than any valid cell, shorter than a whole file that an unclosed quote made one cell. */
const MOST_OF_A_CELL = 2000;

/** The parsed rows; if some are bad, only those, with their errors. */
export function CsvPreview({ rows, bad }: { rows: CsvRow[]; bad: CsvRow[] }) {
  const shown = bad.length > 0 ? bad.slice(0, MOST_BAD) : rows.slice(0, MOST_GOOD);
  const left = (bad.length > 0 ? bad.length : rows.length) - shown.length;
  return (
    <section aria-label="Rows" className="rounded-2xl border border-line bg-card p-5">
      <h2 className="mb-3 text-base font-semibold">
        {bad.length > 0
          ? "Rows to correct"
          : `${pluralize(rows.length, "row")} ${rows.length === 1 ? "is" : "are"} ready`}
      </h2>
      <ul aria-label="Preview of the rows" className="divide-y divide-line text-sm">
        {shown.map((row) => (
          <PreviewRow key={row.line} row={row} />
        ))}
      </ul>
      {left > 0 && <p className="mt-3 text-sm text-muted">And {left} more.</p>}
    </section>
  );
}

function PreviewRow({ row: { line, fields, errors } }: { row: CsvRow }) {
  return (
    <li className="grid grid-cols-[4.5rem_minmax(0,1fr)] gap-x-4 py-2">
      <span className="row-span-2 font-medium tabular-nums">Line {line}</span>
      <span className="grid min-w-0 gap-x-4 sm:grid-cols-3">
        {(["publisherDomain", "targetUrl", "anchorText"] as const).map((field) => {
          const cell = cutText(fields[field] ?? "", MOST_OF_A_CELL);
          return (
            <span key={field} title={cell} className="truncate">
              <span className="sr-only">{nameOf(field)}: </span>
              {cell}
            </span>
          );
        })}
      </span>
      {Object.keys(errors).length > 0 && (
        <span className="min-w-0 text-bad">
          {Object.entries(errors).map(([field, message]) => (
            <span key={field} className="block break-words">
              {field !== "row" && <span className="font-medium">{nameOf(field)}: </span>}
              {message}
            </span>
          ))}
        </span>
      )}
    </li>
  );
}

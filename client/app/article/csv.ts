/** Reads CSV files of article jobs. Pure. Every row keeps its line number, so that people can find a bad row. */
import Papa from "papaparse";
import {
  ARTICLE_CSV_COLUMNS,
  type ArticleInput,
  type LlmProvider,
} from "#shared/article/article.ts";
import { MAX_CSV_BYTES } from "#shared/csv/decode.ts";
import { cutText } from "#shared/cut-text.ts";
import { checkFields, type FieldErrors, type Sample } from "./form.ts";
import { type CsvRecord, readRecords } from "#shared/csv/records.ts";
import { type Columns, faultOfRow, fieldsOf, rowInIgnored } from "./csv-row-fault.ts";

type Field = keyof ArticleInput;

export interface CsvRow {
  /** Line in the file, counted from 1, including header and blank lines. */
  line: number;
  fields: Partial<Record<Field, string>>;
  /** `undefined` for a bad row, which has errors. */
  input: ArticleInput | undefined;
  /** `row` is an error of the whole row. */
  errors: FieldErrors & { row?: string };
}

export interface CsvFile {
  rows: CsvRow[];
  /** Names of unused columns, as the file spells them. */
  ignored: string[];
  /** Error of the whole file; there are no rows then. */
  problem: string | undefined;
}

const REQUIRED = ["publisherDomain", "targetUrl", "anchorText"] as const;

/** Traces of a failed decoding: U+FFFD for invalid bytes, and C1 controls for bytes that Windows-1252 does not use. */
const NOT_DECODED = /[\uFFFD\u0080-\u009F]/;

/** `writers`: the server's writers; `undefined` while they are not known. */
export function readCsv(text: string, writers?: readonly LlmProvider[]): CsvFile {
  if (text.length > MAX_CSV_BYTES) {
    return unusable("This is more than 16 MiB of text. Split it into several batches.");
  }
  const { records, delimiter } = readRecords(text, (name) => fieldOf(name) !== undefined);
  const [header, ...body] = records;
  if (header === undefined) return unusable("The file is empty.");
  const columns = header.cells.map((name) => ({ name, field: fieldOf(name) }));
  const problem = problemOf(header, columns, delimiter);
  if (problem !== undefined) return unusable(problem);
  if (body.length === 0) return unusable("There is no row below the names of the columns.");
  return {
    rows: body.map((record) => withWriter(rowOf(record, columns, delimiter), writers)),
    ignored: unknownIn(header),
    problem: undefined,
  };
}

export function csvOf(samples: readonly Sample[]): string {
  return Papa.unparse(
    samples.map(({ fields: { publisherDomain, targetUrl, anchorText } }) => ({
      publisher: publisherDomain,
      target: targetUrl,
      anchor: anchorText,
    })),
    { newline: "\n" },
  );
}

function unusable(problem: string): CsvFile {
  return { rows: [], ignored: [], problem };
}

function problemOf(header: CsvRecord, columns: Columns, delimiter: string): string | undefined {
  const { line, cells } = header;
  const fault = header.fault ?? rowInIgnored(header, columns, delimiter);
  if (fault !== undefined) return `Line ${line} ${fault.charAt(0).toLowerCase()}${fault.slice(1)}`;
  const found = columns.map(({ field }) => field);
  const twice = found.find((field, at) => field !== undefined && found.indexOf(field) < at);
  if (twice !== undefined) {
    const names = listed(cells.filter((name) => fieldOf(name) === twice));
    return `Line ${line} has more than one column for the ${nameOf(twice)}: ${names}. Keep one of them.`;
  }
  const missing = REQUIRED.filter((field) => !found.includes(field));
  if (missing.length === 0) return undefined;
  const unknown = unknownIn(header);
  const others = unknown.length === 0 ? "" : ` Not recognised: ${listed(unknown)}.`;
  return `Line ${line} must name the columns publisher, target and anchor. Missing: ${missing.map(nameOf).join(", ")}.${others}`;
}

function rowOf(record: CsvRecord, columns: Columns, delimiter: string): CsvRow {
  const { line } = record;
  const fields = fieldsOf(record.cells, columns);
  const row = faultOfRow(record, columns, delimiter);
  if (row !== undefined) {
    return { line, fields: firstLines(fields), input: undefined, errors: { row } };
  }
  const checked = checkFields(fields);
  const errors = { ...checked.errors, ...notDecoded(fields) };
  const input = Object.keys(errors).length === 0 ? checked.input : undefined;
  return { line, fields, input, errors };
}

/** Cuts fields at their first line: a quote that is not closed makes the rest of the file one cell. */
function firstLines(fields: CsvRow["fields"]): CsvRow["fields"] {
  return Object.fromEntries(
    Object.entries(fields).map(([field, cell]) => [field, cell.split("\n", 1)[0] ?? ""]),
  );
}

function notDecoded(fields: CsvRow["fields"]): FieldErrors {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, cell]) => NOT_DECODED.test(cell))
      .map(([field]) => [
        field,
        "Has characters that could not be read. Correct them here, or save the file as UTF-8 and load it again",
      ]),
  );
}

/** Reports a row with an unavailable writer now; otherwise the server would refuse the whole batch. */
function withWriter(row: CsvRow, writers: readonly LlmProvider[] | undefined): CsvRow {
  const writer = row.input?.llmProvider ?? "auto";
  if (writers === undefined || writer === "auto" || writers.includes(writer)) return row;
  const errors = { llmProvider: `Is not set up on this server, which has: ${writers.join(", ")}` };
  return { ...row, input: undefined, errors };
}

function fieldOf(name: string): Field | undefined {
  return ARTICLE_CSV_COLUMNS.get(name.toLowerCase().replaceAll(/[\s-]+/g, "_"));
}

function unknownIn(header: CsvRecord): string[] {
  return header.cells.filter((name) => name !== "" && fieldOf(name) === undefined);
}

/** Lists names for people, cut: a file that is not CSV may have very many and very long ones. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).map((name) => `“${cutText(name, 40)}”`);
  const left = names.length - shown.length;
  return shown.join(", ") + (left === 0 ? "" : ` and ${left} more`);
}

/** Names under which a field's column is recognised, the shortest first. */
export function namesOf(field: string): string[] {
  return [...ARTICLE_CSV_COLUMNS].filter(([, meant]) => meant === field).map(([name]) => name);
}

export function nameOf(field: string): string {
  return namesOf(field)[0] ?? field;
}

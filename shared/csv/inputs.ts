/** Reads a CSV file with inputs of a kind: a row for each job, and a column for each value. Pure. */
import { cutText } from "#shared/cut-text.ts";
import { type Schema, simplified } from "#shared/json-schema.ts";
import { readCell } from "./cell.ts";
import { type Column, columnsOf, findColumn, putIn } from "./columns.ts";
import { type CsvRecord, readRecords } from "./records.ts";

export interface CsvInputs {
  /** `line`: in the file, counted from 1. Without the rows that have a fault. */
  rows: { line: number; input: Record<string, unknown> }[];
  /** What cannot be read, for people, with the lines that are concerned. */
  faults: string[];
}

const SHOWN_CHARS = 40;
const MOST_SHOWN = 10;

/** `schema`: JSON Schema of the kind's input. An empty cell leaves its value out. The server checks the rest. */
export function readCsvInputs(text: string, schema: Schema): CsvInputs {
  const columns = columnsOf(simplified(schema));
  if (columns.length === 0) {
    return unusable("The input of this kind has no named values that columns could hold.");
  }
  const { records } = readRecords(text, (name) => findColumn(columns, name) !== undefined);
  const [header, ...body] = records;
  if (header === undefined) return unusable("The file is empty.");
  if (header.fault !== undefined) return unusable(`Line ${header.line}: ${header.fault}`);
  const found = header.cells.map((name) => findColumn(columns, name));
  const fault = faultOfHeader(header, found, columns);
  if (fault !== undefined) return unusable(`Line ${header.line}: ${fault}`);
  if (body.length === 0) return unusable("There is no row below the names of the columns.");
  const read = body.map((record) => ({ record, ...readRow(record, found) }));
  return {
    rows: read.flatMap(({ record, input, faults }) =>
      faults.length === 0 ? [{ line: record.line, input }] : [],
    ),
    faults: read.flatMap(({ record, faults }) =>
      faults.map((each) => `Line ${record.line}: ${each}`),
    ),
  };
}

function unusable(fault: string): CsvInputs {
  return { rows: [], faults: [fault] };
}

/** A column that is not recognised would silently lose its values, so it is a fault. */
function faultOfHeader(
  { cells }: CsvRecord,
  found: readonly (Column | undefined)[],
  columns: readonly Column[],
): string | undefined {
  const unknown = cells.filter((name, index) => name !== "" && found[index] === undefined);
  if (unknown.length > 0) {
    const known = listed(columns.map(({ name }) => name));
    return `The kind has no ${listed(unknown)}. Its columns are ${known}.`;
  }
  const twice = found.find((one, index) => one !== undefined && found.indexOf(one) < index);
  if (twice !== undefined) return `More than one column is ${listed([twice.name])}.`;
  const missing = columns.filter((column) => column.isRequired && !found.includes(column));
  if (missing.length > 0) {
    return `The file needs the columns ${listed(missing.map(({ name }) => name))} too.`;
  }
  return undefined;
}

function readRow(
  { cells, fault }: CsvRecord,
  found: readonly (Column | undefined)[],
): { input: Record<string, unknown>; faults: string[] } {
  // Without a prototype: a property may have any name.
  const input = Object.create(null) as Record<string, unknown>;
  if (fault !== undefined) return { input, faults: [fault] };
  if (cells.slice(found.length).some((cell) => cell !== "")) {
    return { input, faults: ["The row has more cells than there are columns."] };
  }
  const faults: string[] = [];
  for (const [index, column] of found.entries()) {
    const text = cells[index] ?? "";
    if (column === undefined || text === "") continue;
    const read = readCell(column.schema, text);
    if ("value" in read) putIn(input, column.path, read.value);
    else faults.push(`${column.name}: ${read.error}.`);
  }
  return { input, faults };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_SHOWN).map((name) => `“${cutText(name, SHOWN_CHARS)}”`);
  const left = names.length - shown.length;
  return shown.join(", ") + (left === 0 ? "" : ` and ${left} more`);
}

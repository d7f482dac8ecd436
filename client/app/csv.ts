/** Reads CSV files of article jobs. Pure. Every row keeps the line it stands on, so that a bad one can be found. */
import Papa from "papaparse";
import { ARTICLE_CSV_COLUMNS, type ArticleInput, type LlmProvider } from "#shared/article.ts";
import { checkFields, type FieldErrors, type Sample } from "./article-form.ts";

export interface CsvRow {
  /** In the file, counted from 1, header and blank lines included. */
  line: number;
  fields: Partial<Record<keyof ArticleInput, string>>;
  /** Either one. */
  input: ArticleInput | undefined;
  errors: FieldErrors;
}

export interface CsvFile {
  rows: CsvRow[];
  /** What is wrong with the file as a whole. */
  problem: string | undefined;
}

const REQUIRED = ["publisherDomain", "targetUrl", "anchorText"] as const;

/** `writers`: those that this server has; `undefined` while that is not known. */
export function readCsv(text: string, writers?: readonly LlmProvider[]): CsvFile {
  const records: { line: number; cells: string[] }[] = [];
  let read = 0;
  let line = 1;
  const source = text.replace(/^\uFEFF/, "");
  Papa.parse<string[]>(source, {
    delimitersToGuess: [",", ";", "\t", "|"],
    step({ data, meta }) {
      const cells = data.map((cell) => cell.trim());
      if (cells.some((cell) => cell !== "")) records.push({ line, cells });
      line += source.slice(read, meta.cursor).match(/\r\n|\r|\n/g)?.length ?? 0;
      read = meta.cursor;
    },
  });

  const [header, ...body] = records;
  if (header === undefined) return { rows: [], problem: "The file is empty." };
  const columns = header.cells.map((name) => ARTICLE_CSV_COLUMNS[normal(name)]);
  const missing = REQUIRED.filter((field) => !columns.includes(field));
  if (missing.length > 0) {
    const names = missing.map(nameOf).join(", ");
    return {
      rows: [],
      problem: `The first line must name the columns publisher, target and anchor. Missing: ${names}.`,
    };
  }
  if (body.length === 0)
    return { rows: [], problem: "There is no row below the names of the columns." };
  return {
    rows: body.map(({ line, cells }) => withWriter(rowOf(line, cells, columns), writers)),
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

function rowOf(line: number, cells: string[], columns: (keyof ArticleInput | undefined)[]): CsvRow {
  const fields: CsvRow["fields"] = {};
  for (const [index, column] of columns.entries()) {
    if (column !== undefined) fields[column] = cells[index] ?? "";
  }
  if (cells.length > columns.length) {
    const errors = {
      anchorText: `Has ${cells.length} cells, but there are ${columns.length} columns`,
    };
    return { line, fields, input: undefined, errors };
  }
  const { input, errors = {} } = checkFields(fields);
  return { line, fields, input, errors };
}

/** A row whose writer cannot be had here is found now, and not when the batch is refused for it. */
function withWriter(row: CsvRow, writers: readonly LlmProvider[] | undefined): CsvRow {
  const writer = row.input?.llmProvider ?? "auto";
  if (writers === undefined || writer === "auto" || writers.includes(writer)) return row;
  const errors = { llmProvider: `Is not set up on this server, which has: ${writers.join(", ")}` };
  return { ...row, input: undefined, errors };
}

function normal(name: string): string {
  return name.toLowerCase().replaceAll(/[\s-]+/g, "_");
}

/** The shortest name of a field's column. */
export function nameOf(field: string): string {
  const [name] = Object.entries(ARTICLE_CSV_COLUMNS).find(([, meant]) => meant === field) ?? [
    field,
  ];
  return name;
}

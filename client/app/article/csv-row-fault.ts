/** Finds rows whose cells the parser split differently than their author meant, so that no text is lost. Pure. */
import type { ArticleInput } from "#shared/article/article.ts";
import { cutText } from "#shared/cut-text.ts";
import { checkFields } from "./form.ts";
import { type CsvRecord, joinedLines } from "#shared/csv/records.ts";

/** Columns as the header names them; `field` is the input field that a column fills, if any. */
export type Columns = readonly { name: string; field: keyof ArticleInput | undefined }[];

/** Cuts a cell that an error quotes. */
const LONGEST_SHOWN = 40;

export function fieldsOf(
  cells: readonly string[],
  columns: Columns,
): Partial<Record<keyof ArticleInput, string>> {
  const fields: Partial<Record<keyof ArticleInput, string>> = {};
  for (const [index, { field }] of columns.entries()) {
    if (field !== undefined) fields[field] = cells[index] ?? "";
  }
  return fields;
}

export function faultOfRow(
  record: CsvRecord,
  columns: Columns,
  delimiter: string,
): string | undefined {
  return (
    record.fault ??
    lineBreakInUsed(record, columns) ??
    rowInIgnored(record, columns, delimiter) ??
    tooManyCells(record, columns, delimiter) ??
    textWithoutColumn(record, columns, delimiter)
  );
}

/** A quote that a later row closes joins the rows without a parser error. No valid field has a line break. */
function lineBreakInUsed({ line, last, cells }: CsvRecord, columns: Columns): string | undefined {
  const used = columns.find(
    ({ field }, at) => field !== undefined && cells[at]?.includes("\n") === true,
  );
  return used === undefined
    ? undefined
    : `Has a line break in the column “${used.name}”${joinedLines(line, last)}. Close each quote (") in its own line, or remove the line break.`;
}

/** An unused column may have line breaks, unless another row of the file begins after one. */
export function rowInIgnored(
  { line, last, cells }: CsvRecord,
  columns: Columns,
  delimiter: string,
): string | undefined {
  const isRow = (text: string) =>
    text.includes(delimiter) &&
    checkFields(fieldsOf(text.split(delimiter), columns)).input !== undefined;
  const holdsRow = (cell: string) => cell.includes("\n") && cell.split("\n").slice(1).some(isRow);
  return cells.some(holdsRow)
    ? `Has a cell in quotes (") that holds another row${joinedLines(line, last)}. Close each quote in its own line, or remove it.`
    : undefined;
}

/** Spreadsheets pad rows with delimiters: empty cells after the last column are not counted. */
function tooManyCells(
  { cells }: CsvRecord,
  columns: Columns,
  delimiter: string,
): string | undefined {
  const used = cells.findLastIndex((cell) => cell !== "") + 1;
  return used <= columns.length
    ? undefined
    : `Has ${used} cells, but there are ${columns.length} columns. ${adviceOn(delimiter)}.`;
}

/** An unnamed first column may have row numbers, because pandas writes its index that way. */
function textWithoutColumn(
  { cells }: CsvRecord,
  columns: Columns,
  delimiter: string,
): string | undefined {
  const at = columns.findIndex(
    ({ name }, index) =>
      name === "" &&
      (cells[index] ?? "") !== "" &&
      !(index === 0 && /^\d+$/.test(cells[index] ?? "")),
  );
  return at === -1
    ? undefined
    : `Has “${cutText(cells[at] ?? "", LONGEST_SHOWN)}” in column ${at + 1}, which has no name. ${adviceOn(delimiter)}, or name the column.`;
}

function adviceOn(delimiter: string): string {
  const mark = delimiter === "\t" ? "a tab" : `"${delimiter}"`;
  return `Put a cell with ${mark} in it in quotes`;
}

/** Finds the rows of a CSV file whose cells are not those that were meant, so that none of their text is lost. Pure. */
import type { ArticleInput } from "#shared/article.ts";
import { cutText } from "#shared/cut-text.ts";
import { checkFields } from "./article-form.ts";
import { type CsvRecord, joinedLines } from "./csv-records.ts";

/** As the header has them: `field` is the one that a column fills, if any. */
export type Columns = readonly { name: string; field: keyof ArticleInput | undefined }[];

/** Of a cell that is shown in a message. */
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

/** A quote that a later row closes joins the two without an error. No publisher, target or anchor has a line break. */
function lineBreakInUsed({ line, last, cells }: CsvRecord, columns: Columns): string | undefined {
  const used = columns.find(
    ({ field }, at) => field !== undefined && cells[at]?.includes("\n") === true,
  );
  return used === undefined
    ? undefined
    : `Has a line break in the column “${used.name}”${joinedLines(line, last)}. Close each quote (") in its own line, or remove the line break.`;
}

/** A column that is not used may have line breaks, but not one behind which another row of the file begins. */
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

/** Spreadsheets end rows with delimiters of their own: empty cells behind the last column are none too many. */
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

/** Row numbers may stand in a first column without a name, as pandas writes its index. */
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

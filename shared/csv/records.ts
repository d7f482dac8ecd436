/** Splits CSV text into records: detects the delimiter, and faults caused by quotes. Pure. */
import Papa from "papaparse";

export interface CsvRecord {
  /** First line of the record in the text, counted from 1, including blank lines and Excel's `sep=` line. */
  line: number;
  /** Last line of the record; differs from `line` where a quoted cell has line breaks. */
  last: number;
  cells: string[];
  /** The error where the record's quotes do not match, so that its cells cannot be trusted. */
  fault: string | undefined;
}

const DELIMITERS = [",", ";", "\t", "|"];

/** Excel takes the delimiter from a first line such as `sep=;`. */
const SEP_LINE = /^\s*"?sep=([^"\n])"?([^\n]*)(?:\n|$)/i;

/** That line with its end, and its delimiter. Spreadsheets pad it with delimiters like any row. */
function sepLineOf(lines: string): [line: string, delimiter: string | undefined] {
  const [line = "", delimiter = "", rest = ""] = SEP_LINE.exec(lines) ?? [];
  if (line === "" || rest.replaceAll(delimiter, "").trim() !== "") return ["", undefined];
  return [line, delimiter];
}

/** `isColumn` recognises column names: the delimiter that finds most of them in the header wins. */
export function readRecords(
  text: string,
  isColumn: (name: string) => boolean,
): { records: CsvRecord[]; delimiter: string } {
  // Normalises line breaks: the parser supports one kind per file and would join rows that end with another.
  const lines = text.replace(/^\uFEFF/, "").replaceAll(/\r\n?/g, "\n");
  const [sepLine, sep] = sepLineOf(lines);
  // Without a final line break, the parser takes spaces after the last quote for text.
  const body = `${lines.slice(sepLine.length).trimEnd()}\n`;
  const delimiter = delimiterOf(body, sep, isColumn);
  const source = withoutSpacesBeforeQuotes(body, delimiter);
  const records: CsvRecord[] = [];
  let read = 0;
  let line = 1 + newlinesIn(sepLine);
  Papa.parse<string[]>(source, {
    delimiter,
    newline: "\n",
    step({ data, errors, meta }) {
      const next = line + newlinesIn(source.slice(read, meta.cursor));
      const cells = data.map((cell) => cell.trim());
      if (cells.some((cell) => cell !== "")) {
        const last = next - 1;
        records.push({ line, last, cells, fault: faultOf(errors[0], joinedLines(line, last)) });
      }
      read = meta.cursor;
      line = next;
    },
  });
  return { records, delimiter };
}

function delimiterOf(
  source: string,
  sep: string | undefined,
  isColumn: (name: string) => boolean,
): string {
  const header = /^.*[^\s,;|"].*$/m.exec(source)?.[0] ?? "";
  let best = ",";
  let most = 0;
  for (const delimiter of sep === undefined ? DELIMITERS : [sep, ...DELIMITERS]) {
    const line = withoutSpacesBeforeQuotes(header, delimiter);
    const { data } = Papa.parse<string[]>(line, { delimiter, newline: "\n" });
    const found = data[0]?.filter((cell) => isColumn(cell.trim())).length ?? 0;
    if (found > most) [best, most] = [delimiter, found];
  }
  return best;
}

/**
 * Removes spaces before opening quotes, for which the parser has no option:
 * https://github.com/mholt/PapaParse/issues/941. Follows the parser's rules for the ends of cells, and loops because
 * a single regular expression would overflow its stack on long cells.
 */
function withoutSpacesBeforeQuotes(source: string, delimiter: string): string {
  if (!source.includes('"')) return source;
  const mark = delimiter.replace(/[\\\]^-]/, String.raw`\$&`);
  const spaces = new RegExp(String.raw`[^\S\n${mark}]*`, "y");
  const end = new RegExp(String.raw`[\n${mark}]|$`, "g");
  const closing = new RegExp(String.raw`"[^\S\n${mark}]*(?:[\n${mark}]|$)`, "y");
  const endOf = (pattern: RegExp, from: number) => {
    pattern.lastIndex = from;
    return pattern.test(source) ? pattern.lastIndex : undefined;
  };
  const kept: string[] = [];
  let at = 0;
  while (at < source.length) {
    const first = endOf(spaces, at) ?? at;
    const quoted = source[first] === '"';
    const next = quoted ? endOfQuoted(first) : (endOf(end, first) ?? source.length);
    kept.push(source.slice(quoted ? first : at, next));
    at = next;
  }
  return kept.join("");

  function endOfQuoted(opening: number): number {
    let quote = source.indexOf('"', opening + 1);
    while (quote !== -1) {
      const doubled = source[quote + 1] === '"';
      const next = doubled ? undefined : endOf(closing, quote);
      if (next !== undefined) return next;
      quote = source.indexOf('"', quote + (doubled ? 2 : 1));
    }
    return source.length;
  }
}

/** Clause for the error of a row that unclosed quotes joined from several lines. */
export function joinedLines(first: number, last: number): string {
  return first === last ? "" : `, so that lines ${first} to ${last} are read as one row`;
}

function faultOf(error: Papa.ParseError | undefined, joined: string): string | undefined {
  if (error === undefined) return undefined;
  return error.code === "MissingQuotes"
    ? `Begins a cell with a quote (") that is never closed${joined}. Close the quote or remove it.`
    : `Has text after the quote (") that closes a cell${joined}. Write a quote inside a cell twice (""), or remove the quotes.`;
}

function newlinesIn(text: string): number {
  return text.split("\n").length - 1;
}

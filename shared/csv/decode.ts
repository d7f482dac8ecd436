/** Reads the bytes of a CSV file as text. */
import { tallyUtf8 } from "#shared/utf8.ts";

/** Limit of a file in bytes and of a text in characters: the server's limit for one request. */
export const MAX_CSV_BYTES = 16 * 1024 * 1024;

type Encoding = "UTF-8" | "UTF-16LE" | "UTF-16BE" | "Windows-1252";
export type CsvFileText = (Decoded & { problem?: never }) | { problem: string; text?: never };

interface Decoded {
  text: string;
  encoding: Encoding;
  /** Invalid bytes of a UTF-8 file; each of them is a U+FFFD in `text`. */
  broken: number;
}

/** https://encoding.spec.whatwg.org/#bom-sniff */
const BYTE_ORDER_MARKS: [Encoding, number[]][] = [
  ["UTF-8", [0xef, 0xbb, 0xbf]],
  ["UTF-16LE", [0xff, 0xfe]],
  ["UTF-16BE", [0xfe, 0xff]],
];

/** `name`: of the file, for people. `problem` says why it cannot be used. */
export function decodeCsv(bytes: Uint8Array, name: string): CsvFileText {
  const decoded = decode(bytes);
  if (decoded.text.trim() === "") return { problem: `${name} is empty.` };
  return decoded.text.includes("\0")
    ? { problem: `${name} is not a text file. Save it as “CSV UTF-8” and choose it again.` }
    : decoded;
}

function decode(bytes: Uint8Array): Decoded {
  const marked = BYTE_ORDER_MARKS.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte));
  const { broken, likely } = tallyUtf8(bytes);
  // Excel saves "CSV" in the Windows code page, which is Windows-1252 in western Europe.
  const encoding = marked?.[0] ?? (likely ? "UTF-8" : "Windows-1252");
  const text = new TextDecoder(encoding).decode(bytes);
  return { text, encoding, broken: encoding === "UTF-8" ? broken : 0 };
}

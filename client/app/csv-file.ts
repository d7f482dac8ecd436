/** Reads the bytes of a CSV file as text. */

/** Of a file, and of the characters of a text: what the server accepts as one request. */
export const MAX_CSV_BYTES = 16 * 1024 * 1024;

type Encoding = "UTF-8" | "UTF-16LE" | "UTF-16BE" | "Windows-1252";
export type CsvFileText =
  | { text: string; encoding: Encoding; problem?: never }
  | { problem: string; text?: never };

/** https://encoding.spec.whatwg.org/#bom-sniff */
const BYTE_ORDER_MARKS: [Encoding, number[]][] = [
  ["UTF-8", [0xef, 0xbb, 0xbf]],
  ["UTF-16LE", [0xff, 0xfe]],
  ["UTF-16BE", [0xfe, 0xff]],
];

/** Never rejects: a file that cannot be used says why in `problem`. */
export async function readCsvFile(file: File): Promise<CsvFileText> {
  const name = `“${file.name}”`;
  if (file.size > MAX_CSV_BYTES) {
    return { problem: `${name} is larger than 16 MiB. Split it into several files.` };
  }
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch {
    return { problem: `${name} could not be read. Check that it is a file and still there.` };
  }
  const decoded = decode(bytes);
  if (decoded.text.trim() === "") return { problem: `${name} is empty.` };
  return decoded.text.includes("\0")
    ? { problem: `${name} is not a text file. Save it as “CSV UTF-8” and choose it again.` }
    : decoded;
}

function decode(bytes: Uint8Array): { text: string; encoding: Encoding } {
  const marked = BYTE_ORDER_MARKS.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte));
  if (marked !== undefined) {
    return { text: new TextDecoder(marked[0]).decode(bytes), encoding: marked[0] };
  }
  try {
    return { text: new TextDecoder("UTF-8", { fatal: true }).decode(bytes), encoding: "UTF-8" };
  } catch {
    // Excel saves "CSV" in the code page of Windows, which is this one in western Europe.
    return { text: new TextDecoder("Windows-1252").decode(bytes), encoding: "Windows-1252" };
  }
}

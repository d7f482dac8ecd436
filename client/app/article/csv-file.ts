/** Reads a CSV file that a person chose. */
import { type CsvFileText, decodeCsv, MAX_CSV_BYTES } from "#shared/csv/decode.ts";

/** Never rejects: `problem` says why a file cannot be used. */
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
  return decodeCsv(bytes, name);
}

import { expect, test } from "vitest";
import { readCsvFile } from "./csv-file.ts";

const HEADER = "publisher;target;anchor\r\n";

const read = (...parts: (string | number[])[]) =>
  readCsvFile(new File(parts.map(bytesOf), "spring.csv"));
const bytesOf = (part: string | number[]) =>
  typeof part === "string" ? part : Uint8Array.from(part);

const utf16 = (text: string, order: "le" | "be") => {
  const bytes = Buffer.from(text, "utf16le");
  return [...(order === "le" ? bytes : bytes.swap16())];
};

test("a file without a byte order mark is read as UTF-8 if all of it is valid UTF-8", async () => {
  expect(await read(HEADER, "a.example;https://t.example;Möbel für 5 € 🪴")).toEqual({
    text: `${HEADER}a.example;https://t.example;Möbel für 5 € 🪴`,
    encoding: "UTF-8",
    broken: 0,
  });
});

test("a few invalid bytes leave the rest UTF-8, and are counted", async () => {
  const good = "a.example;https://t.example;Möbel für 5 €\r\n";
  const bad = ["b.example;https://t.example;M", [0xf6], "bel\r\n"];
  expect(await read(HEADER, good, ...bad, good, ...bad, good)).toEqual({
    text:
      HEADER +
      good +
      bad.join("").replace("246", "\uFFFD") +
      good +
      bad.join("").replace("246", "\uFFFD") +
      good,
    encoding: "UTF-8",
    broken: 2,
  });
});

test("a file that is not UTF-8 is read as Windows-1252, which Excel writes in Europe", async () => {
  const moebel = [0x4d, 0xf6, 0x62, 0x65, 0x6c, 0x20, 0x35, 0x20, 0x80];
  expect(await read(HEADER, "a.example;https://t.example;", moebel)).toEqual({
    text: `${HEADER}a.example;https://t.example;Möbel 5 €`,
    encoding: "Windows-1252",
    broken: 0,
  });
});

test.each([
  ["UTF-8", [0xef, 0xbb, 0xbf, 0xc3, 0xb6]],
  ["UTF-16LE", [0xff, 0xfe, ...utf16("ö", "le")]],
  ["UTF-16BE", [0xfe, 0xff, ...utf16("ö", "be")]],
])("a byte order mark determines the encoding: %s", async (encoding, bytes) => {
  expect(await read(bytes)).toEqual({ text: "ö", encoding, broken: 0 });
});

test("bytes that contradict the byte order mark stay visible, and the rest is read", async () => {
  expect(await read([0xef, 0xbb, 0xbf, 0x4d, 0xf6, 0x62])).toEqual({
    text: "M\uFFFDb",
    encoding: "UTF-8",
    broken: 1,
  });
});

test.each([
  ["a workbook", [0x50, 0x4b, 3, 4, 0x14, 0, 6, 0]],
  ["an old workbook", [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0]],
  ["UTF-16 without a byte order mark", utf16("publisher", "le")],
])("the error for %s says how to save the file", async (_, bytes) => {
  expect(await read(bytes)).toEqual({
    problem: "“spring.csv” is not a text file. Save it as “CSV UTF-8” and choose it again.",
  });
});

test.each([[[]], [[0xef, 0xbb, 0xbf]], [[0x0d, 0x0a, 0x20]]])(
  "an empty file is reported as empty: %j",
  async (bytes) => {
    expect(await read(bytes)).toEqual({ problem: "“spring.csv” is empty." });
  },
);

test("a file beyond the limit is refused without being read", async () => {
  const file = new File([], "huge.csv");
  Object.defineProperty(file, "size", { value: 16 * 1024 * 1024 + 1 });
  expect(await readCsvFile(file)).toEqual({
    problem: "“huge.csv” is larger than 16 MiB. Split it into several files.",
  });
});

test("the error says that the browser could not read the file", async () => {
  const file = new File(["x"], "gone.csv");
  file.arrayBuffer = () => Promise.reject(new DOMException("gone", "NotFoundError"));
  expect(await readCsvFile(file)).toEqual({
    problem: "“gone.csv” could not be read. Check that it is a file and still there.",
  });
});

import { useRef, useState } from "react";
import type { CsvFileText } from "#shared/csv/decode.ts";
import { readCsvFile } from "./csv-file.ts";

export interface CsvText {
  text: string;
  /** The file that was loaded last, or its error. */
  loaded: (CsvFileText & { name: string }) | undefined;
  edit(text: string): void;
  replace(text: string): void;
  /** Resolves to `false` if the file could not be read, or if a newer edit or file overtook it. */
  load(file: File): Promise<boolean>;
}

/** The CSV text of a form, typed or loaded from a file. A newer edit wins over a file that is still being read. */
export function useCsvText(): CsvText {
  const [text, setText] = useState("");
  const [loaded, setLoaded] = useState<CsvText["loaded"]>();
  const newest = useRef(0);

  function replace(next: string) {
    newest.current += 1;
    setText(next);
    setLoaded(undefined);
  }

  function edit(next: string) {
    newest.current += 1;
    setText(next);
    setLoaded((before) => (next === "" || before?.problem !== undefined ? undefined : before));
  }

  async function load(file: File) {
    newest.current += 1;
    const turn = newest.current;
    const read = await readCsvFile(file);
    if (turn !== newest.current) return false;
    setLoaded({ ...read, name: file.name });
    if (read.text === undefined) return false;
    setText(read.text);
    return true;
  }

  return { text, loaded, edit, replace, load };
}

/** Reads the files of the certificate and its key, however bad they are. */
import { readFile, stat } from "node:fs/promises";
import { fieldOf } from "#shared/errors.ts";
import type { KeyPairFiles } from "./variables.ts";

/** Far more than a certificate with all its issuers takes. */
const MAX_PEM_BYTES = 1024 * 1024;

/** The text of a file, or the reason why it cannot be read: `does not exist`. */
export type PemFile = { text: string } | { fault: string };

export interface PemFiles {
  cert: PemFile;
  key: PemFile;
}

/** Never rejects. */
export async function readPemFiles(files: KeyPairFiles): Promise<PemFiles> {
  const [cert, key] = await Promise.all([readPem(files.cert), readPem(files.key)]);
  return { cert, key };
}

export function isSamePem(one: PemFiles, other: PemFiles): boolean {
  return (
    contentOf(one.cert) === contentOf(other.cert) && contentOf(one.key) === contentOf(other.key)
  );
}

function contentOf(file: PemFile): string {
  return "text" in file ? `text ${file.text}` : `fault ${file.fault}`;
}

async function readPem(path: string): Promise<PemFile> {
  try {
    const stats = await stat(path);
    // Reading from a pipe or a terminal would wait, perhaps for ever.
    if (!stats.isFile()) return { fault: "is not a file" };
    if (stats.size > MAX_PEM_BYTES)
      return { fault: "has more than 1 MiB, which no certificate has" };
    // PEM is ASCII. Latin-1 keeps all other bytes, so that any change shows.
    return { text: await readFile(path, "latin1") };
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

function faultOf(error: unknown): string {
  const code = fieldOf(error, "code");
  if (code === "ENOENT" || code === "ENOTDIR") return "does not exist";
  if (code === "EACCES" || code === "EPERM") return "may not be read by the user of this process";
  return `cannot be read (${String(code)})`;
}

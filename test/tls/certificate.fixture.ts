/** For tests: certificates made with OpenSSL, for `localhost` and 127.0.0.1. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { promisify } from "node:util";
import { inject, onTestFinished } from "vitest";
import type { KeyPairFiles } from "#server/tls/variables.ts";

const run = promisify(execFile);

/** In PEM form. */
export interface TestPair {
  cert: string;
  key: string;
}

export interface PairOptions {
  /** Arguments of `openssl req` that choose the key. */
  newKey?: readonly string[];
  /** The common name. */
  name?: string;
  /** The names and addresses that it is for. */
  names?: string;
  days?: number;
}

const SUBJECTS = "DNS:localhost,IP:127.0.0.1";
const EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

/** Runs OpenSSL in a new directory, which it removes afterwards. */
export async function inTempDir<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), "jobwire-cert-"));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

export const openssl = async (cwd: string, ...args: readonly string[]): Promise<void> =>
  void (await run(inject("openssl"), [...args], { cwd }));

/** Makes a key, and a certificate that it signs itself. */
export function createPair(options: PairOptions = {}): Promise<TestPair> {
  const { newKey = EC_KEY, name = "localhost", names: subjects = SUBJECTS, days = 30 } = options;
  return inTempDir(async (dir) => {
    const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=${subjects}`];
    const files = ["-keyout", "key.pem", "-out", "cert.pem", "-days", String(days)];
    await openssl(dir, "req", "-x509", "-nodes", ...newKey, ...files, ...names);
    const read = (file: string) => readFile(join(dir, file), "utf8");
    return { cert: await read("cert.pem"), key: await read("key.pem") };
  });
}

/** Writes the pair to files of a new directory. The caller removes it. */
export async function writeLastingPair(pair: TestPair) {
  const dir = await mkdtemp(join(tmpdir(), "jobwire-tls-"));
  const files = { dir, cert: join(dir, "cert.pem"), key: join(dir, "key.pem") };
  await writeFile(files.cert, pair.cert);
  await writeFile(files.key, pair.key);
  return { ...files, remove: () => rm(dir, { recursive: true }) };
}

/** Writes the pair to files of a new directory, which is removed after the test. */
export async function writePair(pair: TestPair): Promise<KeyPairFiles & { dir: string }> {
  const { remove, ...files } = await writeLastingPair(pair);
  onTestFinished(remove);
  return files;
}

/** The variables that make a server use these files. */
export const tlsEnv = ({ cert, key }: KeyPairFiles) => ({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key });

/** Makes every client in this process trust the certificates. */
export function trust(...pairs: readonly TestPair[]): void {
  setDefaultCACertificates([...getCACertificates("default"), ...pairs.map(({ cert }) => cert)]);
}

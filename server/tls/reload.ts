/**
 * Reloads the certificate and its key when their files change. It reads the files at intervals and compares what they
 * hold: file systems do not reliably report files that are replaced by a rename or behind a symbolic link (as in volumes
 * of Kubernetes), or that lie on another machine.
 *
 * Programs write the two files one after the other. So a change counts when two readings in a row agree, and the server
 * keeps the pair in use while the files do not match.
 */
import type { Logger } from "pino";
import { checkKeyPair, type KeyPair } from "./key-pair.ts";
import { isSamePem, type PemFiles, readPemFiles } from "./pem-files.ts";
import { VALIDITY_WARNINGS, validityOf } from "./validity.ts";
import type { KeyPairFiles } from "./variables.ts";

/** A change is in use after two to three intervals. */
const EVERY_MS = 2000;

export interface ReloadOptions {
  files: KeyPairFiles;
  /** The pair in use, and the files as they were when it was read. */
  inUse: { pair: KeyPair; pem: PemFiles };
  /** Makes new connections use this pair. */
  use(pair: KeyPair): void;
  log: Pick<Logger, "info" | "warn">;
  now?: () => Date;
  everyMs?: number;
}

/** Warns of a certificate that ends soon, now and later. Returns what stops it. */
export function startReload(options: ReloadOptions): () => void {
  const { files, use, log, now = () => new Date(), everyMs = EVERY_MS } = options;
  let { pair, pem: inUse } = options.inUse;
  /** The last reading, and the last one that was loaded or refused. */
  let last = inUse;
  let handled = inUse;
  let validity = "valid";
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  function load(pem: PemFiles): void {
    handled = pem;
    if (isSamePem(pem, inUse)) return;
    const checked = checkKeyPair(pem, files);
    if ("problems" in checked) {
      const { problems } = checked;
      return log.warn({ problems }, "The new certificate cannot be used; the old one stays in use");
    }
    ({ pair } = checked);
    inUse = pem;
    validity = "valid";
    use(pair);
    log.info(factsOf(pair), "New connections use the new certificate");
  }

  function warnOnce(): void {
    const current = validityOf(pair.certificate, now());
    if (current !== validity && current !== "valid") {
      log.warn(factsOf(pair), VALIDITY_WARNINGS[current]);
    }
    validity = current;
  }

  async function look(): Promise<void> {
    const found = await readPemFiles(files);
    if (isStopped) return;
    if (isSamePem(found, last) && !isSamePem(found, handled)) load(found);
    last = found;
    warnOnce();
    lookLater();
  }

  function lookLater(): void {
    timer = setTimeout(() => void look(), everyMs).unref();
  }

  warnOnce();
  lookLater();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

function factsOf({ certificate }: KeyPair) {
  const { subject, subjectAltName, validFromDate, validToDate } = certificate;
  return { subject, subjectAltName, validFrom: validFromDate, validTo: validToDate };
}

/** Checks that a certificate and a key can be used together, and says for people why not. */
import { constants, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { messageOf } from "#shared/errors.ts";
import type { PemFile, PemFiles } from "./pem-files.ts";
import type { KeyPairFiles } from "./variables.ts";

/** A certificate with those of its issuers, and its key, in PEM form. */
export interface KeyPair {
  cert: string;
  key: string;
  /** The server's own certificate, the first of its file. */
  certificate: X509Certificate;
}

/** `problems`: a line each, with the variable and the file. */
export type CheckedKeyPair = { pair: KeyPair } | { problems: readonly string[] };

/**
 * Options of every secure context. Without them, Node's own options (`--tls-min-v1.0`) could allow older versions. A
 * client that renegotiates could keep the server from writing, so that its unread bytes would not be counted.
 */
export const SECURE_OPTIONS = {
  minVersion: "TLSv1.2",
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const satisfies SecureContextOptions;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;
const KEY = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/;
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

/** `files`: the paths, for the messages. */
export function checkKeyPair(pem: PemFiles, files: KeyPairFiles): CheckedKeyPair {
  const certName = `TLS_CERT_FILE=${JSON.stringify(files.cert)}`;
  const keyName = `TLS_KEY_FILE=${JSON.stringify(files.key)}`;
  const chain = readChain(pem.cert);
  const key = readKey(pem.key);
  if ("fault" in chain || "fault" in key) {
    const problems: string[] = [];
    if ("fault" in chain) problems.push(`${certName} ${chain.fault}`);
    if ("fault" in key) problems.push(`${keyName} ${key.fault}`);
    return { problems };
  }
  const [certificate, ...issuers] = chain.certificates;
  if (!certificate.checkPrivateKey(key.key)) {
    const own = issuers.findIndex((issuer) => issuer.checkPrivateKey(key.key));
    const remedy =
      own === -1
        ? "Use the key with which the certificate was requested"
        : `It is the key of certificate ${own + 2} in that file: put that one first`;
    return { problems: [`${keyName} is not the key of ${certName}. ${remedy}`] };
  }
  const pair = { cert: chain.text, key: key.text, certificate };
  try {
    createSecureContext({ ...SECURE_OPTIONS, cert: pair.cert, key: pair.key });
  } catch (error) {
    return { problems: [`${certName} cannot be used with its key: ${messageOf(error)}`] };
  }
  return { pair };
}

type Chain = { text: string; certificates: [X509Certificate, ...X509Certificate[]] };

function readChain(file: PemFile): Chain | { fault: string } {
  if ("fault" in file) return file;
  const blocks = file.text.match(CERTIFICATE) ?? [];
  const certificates: X509Certificate[] = [];
  for (const [index, block] of blocks.entries()) {
    try {
      certificates.push(new X509Certificate(block));
    } catch {
      return { fault: `has a damaged certificate, number ${index + 1} of ${blocks.length}` };
    }
  }
  const [first, ...others] = certificates;
  return first === undefined
    ? { fault: "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)" }
    : { text: file.text, certificates: [first, ...others] };
}

function readKey(file: PemFile): { text: string; key: KeyObject } | { fault: string } {
  if ("fault" in file) return file;
  if (ENCRYPTED.test(file.text)) {
    return {
      fault:
        "holds an encrypted key. Store it without a passphrase: openssl pkey -in encrypted.pem -out key.pem",
    };
  }
  if (!KEY.test(file.text)) {
    return { fault: "holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)" };
  }
  try {
    return { text: file.text, key: createPrivateKey(file.text) };
  } catch {
    return { fault: "has a damaged private key" };
  }
}

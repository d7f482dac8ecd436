import { appendFile, chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import {
  createPair,
  inTempDir,
  openssl,
  type TestPair,
  writePair,
} from "#test/tls/certificate.fixture.ts";
import { checkKeyPair } from "./key-pair.ts";
import { readPemFiles } from "./pem-files.ts";
import type { KeyPairFiles } from "./variables.ts";

let pair: TestPair;
let other: TestPair;
beforeAll(async () => {
  pair = await createPair({ name: "one" });
  other = await createPair({ name: "other" });
});

/** Returns the common name of the usable certificate, or the problems. */
async function check(files: KeyPairFiles): Promise<string> {
  const checked = checkKeyPair(await readPemFiles(files), files);
  return "problems" in checked ? checked.problems.join("\n") : checked.pair.certificate.subject;
}

/** Returns a key in another form than OpenSSL's usual one. */
const asKey = (...args: readonly string[]) =>
  inTempDir(async (dir) => {
    await writeFile(join(dir, "key.pem"), pair.key);
    await openssl(dir, ...args, "-in", "key.pem", "-out", "out.pem");
    return readFile(join(dir, "out.pem"), "utf8");
  });

test("an elliptic key and an RSA key can be used", async () => {
  expect(await check(await writePair(pair))).toBe("CN=one");
  const rsa = await createPair({ newKey: ["-newkey", "rsa:2048"], name: "rsa" });
  expect(await check(await writePair(rsa))).toBe("CN=rsa");
});

test("a key in the older form can be used, with the parameters that OpenSSL writes before it", async () => {
  const key = await asKey("ec");
  expect(key).toContain("BEGIN EC PRIVATE KEY");
  const parameters =
    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  expect(await check(await writePair({ ...pair, key: parameters + key }))).toBe("CN=one");
});

test("certificates of issuers may follow, as may text and the line ends of Windows", async () => {
  const chain = `Bag Attributes\n${pair.cert}\n subject=other\n${other.cert}`;
  const files = await writePair({ ...pair, cert: chain.replaceAll("\n", "\r\n") });
  expect(await check(files)).toBe("CN=one");
});

test("one file may hold both the certificate and the key", async () => {
  const { cert } = await writePair({ ...pair, cert: pair.cert + pair.key });
  expect(await check({ cert, key: cert })).toBe("CN=one");
});

test.each<[what: string, spoil: (files: KeyPairFiles) => Promise<unknown>, problem: RegExp]>([
  ["a missing certificate", ({ cert }) => rm(cert), /^TLS_CERT_FILE=".*cert\.pem" does not exist$/],
  ["a missing key", ({ key }) => rm(key), /^TLS_KEY_FILE=".*key\.pem" does not exist$/],
  [
    "a directory",
    async ({ key }) => (await rm(key), mkdir(key)),
    /^TLS_KEY_FILE=".*" is not a file$/,
  ],
  [
    "a file below a file",
    async (files) => (files.key = join(files.key, "key.pem")),
    /^TLS_KEY_FILE=".*" does not exist$/,
  ],
  [
    "an empty certificate",
    ({ cert }) => writeFile(cert, ""),
    /^TLS_CERT_FILE=".*" holds no certificate in PEM form/,
  ],
  [
    "a certificate in another form",
    ({ cert }) => writeFile(cert, Buffer.from(pair.cert.replaceAll(/-.*\n/g, ""), "base64")),
    /^TLS_CERT_FILE=".*" holds no certificate in PEM form/,
  ],
  [
    "swapped files",
    (files) => {
      [files.cert, files.key] = [files.key, files.cert];
      return Promise.resolve();
    },
    /^TLS_CERT_FILE=".*" holds no certificate.*\nTLS_KEY_FILE=".*" holds no private key/,
  ],
  [
    "a certificate that breaks off",
    ({ cert }) => writeFile(cert, pair.cert.slice(0, 300)),
    /^TLS_CERT_FILE=".*" holds no certificate in PEM form/,
  ],
  [
    "a damaged issuer",
    ({ cert }) => appendFile(cert, other.cert.replaceAll("M", "A")),
    /^TLS_CERT_FILE=".*" has a damaged certificate, number 2 of 2$/,
  ],
  [
    "a damaged key",
    ({ key }) => writeFile(key, pair.key.replaceAll("M", "A")),
    /^TLS_KEY_FILE=".*" has a damaged private key$/,
  ],
  [
    "an encrypted key",
    async ({ key }) => writeFile(key, await asKey("pkey", "-aes256", "-passout", "pass:secret")),
    /^TLS_KEY_FILE=".*" holds an encrypted key\. Store it without a passphrase/,
  ],
  [
    "an encrypted key in the older form",
    async ({ key }) => writeFile(key, await asKey("ec", "-aes256", "-passout", "pass:secret")),
    /^TLS_KEY_FILE=".*" holds an encrypted key\. Store it without a passphrase/,
  ],
  [
    "the key of another certificate",
    ({ key }) => writeFile(key, other.key),
    /^TLS_KEY_FILE=".*" is not the key of TLS_CERT_FILE=".*"\. Use the key with which/,
  ],
  [
    "the certificates in the wrong order",
    ({ cert }) => writeFile(cert, other.cert + pair.cert),
    /^TLS_KEY_FILE=".*" is not the key of .* the key of certificate 2 in that file: put that one first$/,
  ],
  [
    "a file that is too large",
    ({ key }) => writeFile(key, pair.key + " ".repeat(2 ** 20)),
    /^TLS_KEY_FILE=".*" has more than 1 MiB/,
  ],
])("the problem of %s names the variable and the file", async (_what, spoil, problem) => {
  const files = await writePair(pair);
  await spoil(files);
  const problems = await check(files);
  expect(problems).toMatch(problem);
  expect(problems).not.toContain("BEGIN PRIVATE KEY-----\n");
});

test("a key that TLS refuses as too weak cannot be used", async () => {
  const weak = await createPair({ newKey: ["-newkey", "rsa:512"] });
  expect(await check(await writePair(weak))).toMatch(/cannot be used with its key: .*too small/);
});

// The system lets root read every file.
test.skipIf(process.getuid?.() === 0)("a key that may not be read is a problem", async () => {
  const files = await writePair(pair);
  await chmod(files.key, 0);
  expect(await check(files)).toMatch(/^TLS_KEY_FILE=".*" may not be read by the user/);
});

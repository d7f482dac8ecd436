import { writeFileSync } from "node:fs";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { createPair, type TestPair, writePair } from "#test/tls/certificate.fixture.ts";
import { checkKeyPair } from "./key-pair.ts";
import { readPemFiles } from "./pem-files.ts";
import { startReload } from "./reload.ts";
import type { KeyPairFiles } from "./variables.ts";

const DAY_MS = 24 * 3_600_000;

let first: TestPair;
let second: TestPair;
beforeAll(async () => {
  first = await createPair({ name: "first", days: 90 });
  second = await createPair({ name: "second", days: 90 });
});

/** Watches files that hold a usable pair. */
async function watch(files: KeyPairFiles) {
  const pem = await readPemFiles(files);
  const checked = checkKeyPair(pem, files);
  if ("problems" in checked) throw new Error(checked.problems.join("\n"));
  const { pair } = checked;
  const watched = {
    /** The names of the certificates that were used, in order. */
    used: [] as string[],
    warnings: [] as string[],
    problems: [] as unknown[],
    /** The number of readings. */
    looks: 0,
    onLook: () => {},
    now: new Date(),
    /** Resolves after several more readings. */
    async looksOn() {
      const seen = watched.looks;
      await vi.waitFor(() => expect(watched.looks).toBeGreaterThan(seen + 4));
    },
  };
  const stop = startReload({
    files,
    inUse: { pair, pem },
    use: ({ certificate }) => void watched.used.push(certificate.subject),
    log: {
      info: () => {},
      warn: (facts: { problems?: unknown }, message?: string) => {
        watched.warnings.push(message ?? "");
        watched.problems.push(facts.problems);
      },
    },
    now: () => {
      watched.looks += 1;
      watched.onLook();
      return watched.now;
    },
    everyMs: 5,
  });
  onTestFinished(stop);
  return watched;
}

const isUsed = (watched: { used: string[] }, names: readonly string[]) =>
  vi.waitFor(() => expect(watched.used).toEqual(names));

test("[T2] a pair that is written over the old one is used, once", async () => {
  const files = await writePair(first);
  const watched = await watch(files);
  await Promise.all([writeFile(files.key, second.key), writeFile(files.cert, second.cert)]);
  await isUsed(watched, ["CN=second"]);
  await watched.looksOn();
  expect(watched.used).toEqual(["CN=second"]);
});

test("[T2] a pair that replaces the old one by rename is used", async () => {
  const files = await writePair(first);
  const next = await writePair(second);
  const watched = await watch(files);
  await rename(next.key, files.key);
  await rename(next.cert, files.cert);
  await isUsed(watched, ["CN=second"]);
  await watched.looksOn();
  expect(watched.used).toEqual(["CN=second"]);
});

test("[T2] a pair behind a symbolic link that is swapped, as Kubernetes does it, is used", async () => {
  const { dir, ...paths } = await writePair(first);
  await mkdir(join(dir, "..v1"));
  await mkdir(join(dir, "..v2"));
  for (const name of ["cert", "key"] as const) {
    await rename(paths[name], join(dir, "..v1", `${name}.pem`));
    await writeFile(join(dir, "..v2", `${name}.pem`), second[name]);
    await symlink(join("..data", `${name}.pem`), paths[name]);
  }
  await symlink("..v1", join(dir, "..data"));
  const watched = await watch(paths);
  await symlink("..v2", join(dir, "..data_tmp"));
  await rename(join(dir, "..data_tmp"), join(dir, "..data"));
  await rm(join(dir, "..v1"), { recursive: true });
  await isUsed(watched, ["CN=second"]);
  expect(watched.warnings).toEqual([]);
});

test("[T3] while only one of the two files is new, the old pair stays in use, with one warning", async () => {
  const files = await writePair(first);
  const watched = await watch(files);
  await writeFile(files.cert, second.cert);
  await vi.waitFor(() => expect(watched.warnings).toHaveLength(1));
  await watched.looksOn();
  expect(watched.warnings).toEqual([
    "The new certificate cannot be used; the old one stays in use",
  ]);
  expect(watched.problems).toEqual([[expect.stringContaining("is not the key of")]]);
  expect(watched.used).toEqual([]);
  await writeFile(files.key, second.key);
  await isUsed(watched, ["CN=second"]);
  expect(watched.warnings).toHaveLength(1);
});

test("[T3] files that still change between two readings are left alone, without a warning", async () => {
  const files = await writePair(first);
  const watched = await watch(files);
  let written = 0;
  watched.onLook = () => {
    // Grows from one line to the whole certificate, as a slow write does.
    written += 1;
    writeFileSync(files.key, second.key);
    writeFileSync(files.cert, second.cert.slice(0, written * 40));
  };
  const steps = Math.ceil(second.cert.length / 40);
  await vi.waitFor(() => expect(written).toBeGreaterThanOrEqual(steps));
  await isUsed(watched, ["CN=second"]);
  expect(watched.warnings).toEqual([]);
});

test("[T3] missing files are one warning, and the old pair is no news when it returns", async () => {
  const files = await writePair(first);
  const watched = await watch(files);
  await rm(files.cert);
  await rm(files.key);
  await vi.waitFor(() =>
    expect(watched.problems.at(-1)).toEqual([
      expect.stringContaining('cert.pem" does not exist'),
      expect.stringContaining('key.pem" does not exist'),
    ]),
  );
  const { length } = watched.warnings;
  await writeFile(files.cert, first.cert);
  await writeFile(files.key, first.key);
  await watched.looksOn();
  const known = watched.warnings.length;
  await watched.looksOn();
  expect(known - length).toBeLessThanOrEqual(1);
  expect(watched.warnings).toHaveLength(known);
  expect(watched.used).toEqual([]);
});

test("[T3] a bad pair that changes again is another warning, and a good pair is used after it", async () => {
  const files = await writePair(first);
  const watched = await watch(files);
  await writeFile(files.cert, "nothing");
  await vi.waitFor(() => expect(watched.warnings).toHaveLength(1));
  await writeFile(files.cert, "nothing else");
  await vi.waitFor(() => expect(watched.warnings).toHaveLength(2));
  await writeFile(files.key, second.key);
  await vi.waitFor(() => expect(watched.warnings).toHaveLength(3));
  await writeFile(files.cert, second.cert);
  await isUsed(watched, ["CN=second"]);
});

test("a certificate is a warning when its last days begin and when it expires, once each", async () => {
  const files = await writePair(first);
  const watched = await watch(files);
  await watched.looksOn();
  expect(watched.warnings).toEqual([]);
  watched.now = new Date(Date.now() + 85 * DAY_MS);
  await vi.waitFor(() => expect(watched.warnings).toHaveLength(1));
  watched.now = new Date(Date.now() + 91 * DAY_MS);
  await vi.waitFor(() => expect(watched.warnings).toHaveLength(2));
  await watched.looksOn();
  expect(watched.warnings).toEqual([
    expect.stringContaining("expires soon"),
    expect.stringContaining("has expired"),
  ]);
});

test("a certificate that is not valid yet is a warning, and so is one that replaces it", async () => {
  const files = await writePair(first);
  const watched = await watch(files);
  watched.now = new Date(Date.now() - 100 * DAY_MS);
  await vi.waitFor(() => expect(watched.warnings).toHaveLength(1));
  await Promise.all([writeFile(files.key, second.key), writeFile(files.cert, second.cert)]);
  await isUsed(watched, ["CN=second"]);
  await vi.waitFor(() =>
    expect(watched.warnings.filter((each) => each.includes("not valid yet"))).toHaveLength(2),
  );
});

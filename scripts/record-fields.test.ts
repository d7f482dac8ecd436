/** Adds a field to each record in a copy of the sources, and reads from the compiler which declarations do not handle it. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The definition of each record: the text that the new field follows, and the field. It is optional: the easiest to forget. */
const NEW_FIELDS = [
  ["shared/events.ts", "interface VisibleState {", "weight?: number | undefined;"],
  ["shared/job.ts", "export interface Job extends Owner {", "weight?: number | undefined;"],
  ["shared/batch.ts", "export interface BatchRecord extends Owner {", "weight?: number;"],
] as const;

function isSource(path: string): boolean {
  return !/\.test(-d)?\.tsx?$/.test(path);
}

const DECLARATION = /^(?:export )?(?:async )?(?:function\*?|const) (\w+)/;

let copy: string;
beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), "jobwire-fields-"));
  for (const folder of ["shared", "server/engine", "server/time", "client/lib/merge.ts"]) {
    await cp(join(ROOT, folder), join(copy, folder), { recursive: true, filter: isSource });
  }
  await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
  await cp(join(ROOT, "package.json"), join(copy, "package.json"));
  const { compilerOptions } = JSON.parse(await readFile(join(ROOT, "tsconfig.json"), "utf8")) as {
    compilerOptions: object;
  };
  const tsconfig = {
    compilerOptions: { ...compilerOptions, types: ["node"] },
    include: ["*/**/*.ts"],
  };
  await writeFile(join(copy, "tsconfig.json"), JSON.stringify(tsconfig));
  for (const [file, definition, field] of NEW_FIELDS) {
    const path = join(copy, file);
    const text = await readFile(path, "utf8");
    if (!text.includes(definition)) throw new Error(`${file} has no "${definition}".`);
    await writeFile(path, text.replace(definition, `${definition}\n  ${field}`));
  }
});
afterAll(() => rm(copy, { recursive: true, force: true }));

/** The declarations that do not compile, as `file: name`, in alphabetical order. */
async function faultyDeclarations(): Promise<string[]> {
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const output = await promisify(execFile)(process.execPath, [tsc, "--pretty", "false"], {
    cwd: copy,
  }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
  const found = new Set<string>();
  for (const [, file = "", line] of output.matchAll(/^(\S+)\((\d+),\d+\): error/gm)) {
    const before = (await readFile(join(copy, file), "utf8")).split("\n").slice(0, Number(line));
    const names = before.map((text) => DECLARATION.exec(text)?.[1]);
    found.add(`${file}: ${names.findLast((name) => name !== undefined)}`);
  }
  return [...found].toSorted();
}

test("a new field of a job, an event or a batch compiles nowhere until each codec handles it", async () => {
  expect(await faultyDeclarations()).toEqual([
    "client/lib/merge.ts: currentJob",
    "server/engine/created-batch.ts: createdBatch",
    "server/engine/redis/records.ts: EVENT_FIELDS",
    "server/engine/redis/records.ts: SUMMARY_FIELDS",
    "server/engine/redis/records.ts: decodeBatch",
    "server/engine/redis/records.ts: decodeEvent",
    "server/engine/redis/records.ts: decodeSummary",
    "server/engine/sqlite/job-rows.ts: summaryOfRow",
    "server/engine/sqlite/rows.ts: EVENT_COLUMNS",
    "server/engine/sqlite/rows.ts: batchOfRow",
    "server/engine/sqlite/rows.ts: eventOfValues",
    "shared/events.schema.ts: JobEventSchema",
    "shared/events.ts: builder",
    "shared/job.schema.ts: JobSchema",
    "shared/job.ts: summaryOf",
    "shared/lifecycle.ts: createdJob",
    "shared/newest-event.ts: newestEvent",
  ]);
});

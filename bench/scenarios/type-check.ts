/**
 * CPU of the compiler for a program with a hundred kinds and a client of them, compared with their schemas alone. The program
 * uses the packages as they are published: `npm run build:packages` first.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Row } from "#bench/report.ts";
import { median } from "#bench/statistics.ts";
import type { Scenario } from "./scenario.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PACKAGES = join(ROOT, "dist/packages");
const COMPILER = join(ROOT, "node_modules/typescript/bin/tsc");
const SECONDS = "CPU s, median";

export const typeCheck: Scenario = {
  name: "type-check",
  async run({ quick }) {
    const [times, kinds] = quick ? [1, 3] : [9, 100];
    const schemas = { "schemas.ts": schemasOf(kinds) };
    const server = { ...schemas, "jobs.ts": jobsOf(kinds) };
    const client = { ...server, "client.ts": clientOf(kinds) };
    const needed = existsSync(PACKAGES) ? [schemas, server, client] : [schemas];
    const programs = await Promise.all(needed.map(openProgram));
    const taken: number[][] = programs.map(() => []);
    try {
      for (let i = 0; i < times; i += 1) {
        for (const [at, program] of programs.entries()) taken[at]?.push(await timeOf(program));
      }
    } finally {
      await Promise.all(programs.map((program) => rm(program, { recursive: true })));
    }
    const rowOf = (who: string, at: number): Row => {
      const times = taken[at];
      return times === undefined ? { who } : { who, figures: { [SECONDS]: median(times) } };
    };
    const [alone = [], served] = taken;
    const what = "kinds and server against their schemas";
    return {
      scenario: "type-check",
      title: `The compiler, ${kinds} kinds`,
      rows: [
        rowOf("Jobwire: kinds and server", 1),
        rowOf("Jobwire: the same, and a client that calls and watches each kind", 2),
        rowOf("the schemas of these kinds alone", 0),
      ],
      goals:
        served === undefined
          ? []
          : [{ what, figure: median(served) / median(alone), unit: " x", atMost: 1.3 }],
    };
  },
};

const numbersTo = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Schemas of three sizes that differ from kind to kind. */
function schemasOf(kinds: number): string {
  const schemas = numbersTo(kinds).map(
    (i) => `
export const input${i} = z.object({
  url${i}: z.url(), title: z.string().min(1).max(${100 + i}), tags: z.array(z.string()).max(10),
  size: z.object({ width: z.int().positive(), height: z.int().positive() }).optional(),
  mode: z.enum(["fast", "good", "mode${i}"]).default("fast"),
});
export const details${i} = z.object({ done: z.int(), of: z.int(), step${i}: z.string().nullable() });
export const output${i} = z.discriminatedUnion("type", [
  z.object({ type: z.literal("file"), path${i}: z.string(), bytes: z.int() }),
  z.object({ type: z.literal("text"), text: z.string(), words: z.record(z.string(), z.int()) }),
]);
export type Types${i} = [z.input<typeof input${i}>, z.output<typeof details${i}>, z.output<typeof output${i}>];
`,
  );
  return `import { z } from "zod";\n${schemas.join("")}`;
}

function jobsOf(kinds: number): string {
  const definitions = numbersTo(kinds).map(
    (i) => `
export const kind${i} = defineKind({
  name: "kind${i}", input: s.input${i}, details: s.details${i}, output: s.output${i},
  async run({ input, progress }) {
    await progress(50, input.title, { done: 1, of: 2, step${i}: input.mode });
    return { type: "file", path${i}: input.url${i}, bytes: input.tags.length };
  },
});
`,
  );
  const names = numbersTo(kinds).map((i) => `kind${i}`);
  return `import { createJobwire, defineKind } from "jobwire";
import * as s from "./schemas.ts";
${definitions.join("")}
export const jobwire = createJobwire({ kinds: [${names.join(", ")}] });
type Server = typeof jobwire;
export interface App extends Server {}
`;
}

function clientOf(kinds: number): string {
  const uses = numbersTo(kinds).map(
    (i) => `
export async function use${i}() {
  const job = await client.kinds.kind${i}.create({ url${i}: "https://example.com", title: "a", tags: [] });
  for await (const event of job.events()) if (event.details) return event.details.step${i};
  const output = await job.result();
  return output.type === "file" ? output.path${i} : output.text;
}
`,
  );
  return `import { createJobwireClient } from "@jobwire/client";
import type { App } from "./jobs.ts";
const client = createJobwireClient<App>({ url: "http://localhost:8000" });
${uses.join("")}`;
}

/** Writes a program to a folder of its own. */
async function openProgram(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "jobwire-bench-"));
  await mkdir(join(dir, "node_modules/@jobwire"), { recursive: true });
  await symlink(join(ROOT, "node_modules/zod"), join(dir, "node_modules/zod"));
  await symlink(join(PACKAGES, "jobwire"), join(dir, "node_modules/jobwire"));
  await symlink(join(PACKAGES, "client"), join(dir, "node_modules/@jobwire/client"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  const compilerOptions = {
    target: "ES2023",
    module: "NodeNext",
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
  };
  await writeFile(join(dir, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(join(dir, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  return dir;
}

/** Of the processor, in seconds. Rejects if the program does not compile. */
async function timeOf(program: string): Promise<number> {
  // The second line of `times` is of the shell's children: "0m0.66s 0m0.10s", user and system.
  const script = '"$@" && times';
  const args = ["-c", script, "sh", process.execPath, COMPILER, "--singleThreaded", "-p", program];
  const { stdout } = await promisify(execFile)("sh", args);
  const times = stdout.trim().split("\n").at(-1) ?? "";
  const seconds = [...times.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, m, s]) => 60 * Number(m) + Number(s),
  );
  return seconds.reduce((sum, each) => sum + each, 0);
}

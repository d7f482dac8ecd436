/** A client that a public generator makes of a server's OpenAPI document: it compiles, and it works. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { defineKind } from "#server/kinds/define.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BIN = join(ROOT, "node_modules/.bin");
const run = promisify(execFile);

const report = defineKind({
  name: "report",
  input: z.object({
    from: z.iso.date(),
    format: z.enum(["pdf", "csv"]),
    columns: z.array(z.object({ name: z.string(), width: z.int().optional() })),
  }),
  output: z.object({ rows: z.int() }),
  title: ({ from }) => `Report since ${from}`,
  run: async ({ input }) => ({ rows: input.columns.length }),
});

/** A program of a user. It narrows answers, as the generator's types ask for. */
const PROGRAM = `
import {
  cancelJob,
  createBatch,
  createJob,
  defaults,
  getJob,
  listJobs,
  type Job,
  type Problem,
} from "./client.ts";

function jobIn({ data }: { data: Job | Problem }): Job {
  if ("id" in data) return data;
  throw new Error(data.detail);
}

export async function use(baseUrl: string) {
  defaults.baseUrl = baseUrl;
  const input = { from: "2026-01-31", format: "csv" as const, columns: [{ name: "a" }] };
  const job = jobIn(await createJob({ kind: "report", input }, { idempotencyKey: "one" }));
  const again = jobIn(await createJob({ kind: "report", input }, { idempotencyKey: "one" }));
  let read = jobIn(await getJob(job.id));
  while (read.status === "PENDING" || read.status === "PROCESSING") read = jobIn(await getJob(job.id));
  const refused = await cancelJob(job.id);
  const list = await listJobs({ status: "DELIVERED", limit: 10 });
  const batch = await createBatch({ name: "Two", jobs: [{ kind: "report", input }, { kind: "report", input }] });
  return {
    isSame: again.id === job.id,
    output: read.output,
    refused: [refused.status, "code" in refused.data && refused.data.code],
    listed: "items" in list.data && list.data.items.map(({ title }) => title),
    batch: "total" in batch.data && batch.data.total,
  };
}

// @ts-expect-error No such format.
void createJob({ kind: "report", input: { from: "2026-01-31", format: "doc", columns: [] } });
// @ts-expect-error No such kind.
void createJob({ kind: "mail", input: {} });
`;

let data: TestData;
let app: App;
let folder: string;
beforeAll(async () => {
  data = await newTestData();
  app = await createApp(loadConfig({ ...data.env, PORT: "0", LOG_LEVEL: "silent" }), {
    kinds: [report],
  });
  // Inside the repository, whose packages the client finds from there.
  await mkdir(join(ROOT, "dist"), { recursive: true });
  folder = await mkdtemp(join(ROOT, "dist/generated-client-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await app.close();
  await data.remove();
});

test("[N4] [N7] a generated client compiles, and creates, reads, lists and is refused", async () => {
  const document = await (await fetch(`${app.url}/api/v1/openapi.json`)).text();
  await writeFile(join(folder, "openapi.json"), document);
  await writeFile(join(folder, "program.ts"), PROGRAM);
  await run(join(BIN, "oazapfts"), [join(folder, "openapi.json"), join(folder, "client.ts")]);
  const options = [
    "--noEmit",
    "--strict",
    "--noUncheckedIndexedAccess",
    "--allowImportingTsExtensions",
  ];
  const libraries = [
    "--ignoreConfig",
    "--module",
    "nodenext",
    "--target",
    "es2024",
    "--lib",
    "es2024,dom",
  ];
  const { stdout: faults } = await run(join(BIN, "tsc"), [
    ...options,
    ...libraries,
    join(folder, "program.ts"),
  ]).catch((error: { stdout: string }) => error);
  expect(faults).toBe("");
  // The lines that do not compile are for the compiler alone.
  const [working = ""] = PROGRAM.split("// @ts-expect-error");
  await writeFile(join(folder, "program.ts"), working);
  const program = (await import(pathToFileURL(join(folder, "program.ts")).href)) as {
    use(url: string): Promise<unknown>;
  };
  expect(await program.use(`${app.url}/api/v1`)).toEqual({
    isSame: true,
    output: { rows: 1 },
    refused: [409, "ILLEGAL_TRANSITION"],
    listed: ["Report since 2026-01-31"],
    batch: 2,
  });
});

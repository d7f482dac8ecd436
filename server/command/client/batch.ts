/** `jobwire batch`: a job for each row of a CSV file. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Command } from "commander";
import { v4 as newKey } from "uuid";
import type { CommandContext } from "#server/command/context.ts";
import { UsageError } from "#server/command/usage-error.ts";
import { MAX_BATCH_JOBS } from "#shared/batch.ts";
import { cutText } from "#shared/cut-text.ts";
import { decodeCsv, MAX_CSV_BYTES } from "#shared/csv/decode.ts";
import { type CsvInputs, readCsvInputs } from "#shared/csv/inputs.ts";
import { AppError, messageOf } from "#shared/errors.ts";
import { MAX_BATCH_NAME_CHARS } from "#shared/limits.ts";
import { type Api, openApi } from "./api.ts";
import { findKind, onlyKind } from "./kinds.ts";
import { addQueueOptions, type QueueArguments, queueFieldsOf } from "./queue-options.ts";
import { batchTarget, watch } from "./watch.ts";

interface BatchOptions extends QueueArguments {
  kind?: string;
  name?: string;
  key?: string;
  watch?: true;
  json?: true;
}

/** The rest is counted. */
const MOST_FAULTS = 20;

export function addBatchCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("batch")
    .description("creates a batch with a job for each row of a CSV file, and prints its id")
    .argument(
      "<file>",
      "with the kind's fields as columns: `jobwire kinds KIND` prints them; - is the standard input",
    )
    .option("--kind <kind>", "of the jobs (default: the server's only one)")
    .option("--name <text>", "of the batch (default: that of the file)");
  addQueueOptions(command)
    .option("--key <key>", "creates nothing if a batch was created with this key before")
    .option("--watch", "show its progress until all jobs have settled")
    .option("--json", "print its record as JSON, or its states with --watch")
    .action((file: string, options: BatchOptions) => createBatch(file, options, context));
}

async function createBatch(
  file: string,
  options: BatchOptions,
  context: CommandContext,
): Promise<void> {
  const { env, stdout, now } = context;
  const queue = queueFieldsOf(options, now());
  const api = openApi(env);
  const text = await textOf(file, context);
  const kind = await kindOf(api, options.kind);
  const rows = usable(file, readCsvInputs(text, kind.input));
  const name = options.name ?? (file === "-" ? undefined : basename(file));
  const batch = await store(api, rows, {
    body: {
      ...(name !== undefined && { name: cutText(name, MAX_BATCH_NAME_CHARS) }),
      jobs: rows.map(({ input }) => ({ kind: kind.name, input })),
      ...queue,
    },
    idempotencyKey: options.key ?? newKey(),
  });
  const { json } = options;
  if (options.watch) return watch([batchTarget(batch)], { api, json }, context);
  stdout.write(json ? `${JSON.stringify(batch)}\n` : `${batch.id}\n`);
}

async function textOf(file: string, { readInput }: CommandContext): Promise<string> {
  const name = file === "-" ? "The standard input" : file;
  const bytes = file === "-" ? await readInput() : await bytesOf(file);
  if (bytes.length > MAX_CSV_BYTES) {
    throw new UsageError(`${name} has more than ${MAX_CSV_BYTES / 2 ** 20} MiB. Split it.`);
  }
  const { text, problem } = decodeCsv(bytes, name);
  if (problem !== undefined) throw new UsageError(problem);
  return text;
}

async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new UsageError(`${file}: ${messageOf(error)}.`);
  }
}

async function kindOf(api: Api, given: string | undefined) {
  if (given !== undefined) return findKind(api, given);
  const only = await onlyKind(api);
  if (only === undefined) throw new UsageError("The server has several kinds. Name one by --kind.");
  return only;
}

function usable(file: string, { rows, faults }: CsvInputs): CsvInputs["rows"] {
  if (faults.length > 0) throw faulty(file, faults);
  if (rows.length <= MAX_BATCH_JOBS) return rows;
  const most = MAX_BATCH_JOBS.toLocaleString("en");
  throw new AppError(
    "BAD_REQUEST",
    `${file} has ${rows.length} rows. A batch has ${most} jobs at most.`,
  );
}

/** The server names faults by the number of the job; people find them by the line of the file. */
async function store(
  api: Api,
  rows: CsvInputs["rows"],
  request: { body: object; idempotencyKey: string },
): Promise<{ id: string; name: string | null; total: number }> {
  try {
    return await api.call("POST", "/batches", request);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const inRows = error.issues.flatMap(({ path: [jobs, index, , ...path], message }) => {
      const row = jobs === "jobs" && typeof index === "number" ? rows[index] : undefined;
      return row === undefined ? [] : [`Line ${row.line}: ${[path.join("."), message].join(": ")}`];
    });
    throw inRows.length === 0 ? error : faulty("The server", inRows);
  }
}

function faulty(what: string, faults: readonly string[]): AppError {
  const more = faults.length > MOST_FAULTS ? [`And ${faults.length - MOST_FAULTS} more.`] : [];
  const text = [`${what}: nothing was created.`, ...faults.slice(0, MOST_FAULTS), ...more];
  return new AppError("BAD_REQUEST", text.join("\n"));
}

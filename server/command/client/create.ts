/** `jobwire create`: one job. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { v4 as newKey } from "uuid";
import type { CommandContext } from "#server/command/context.ts";
import { UsageError } from "#server/command/usage-error.ts";
import { readCell } from "#shared/csv/cell.ts";
import { columnsOf, findColumn, putIn } from "#shared/csv/columns.ts";
import { messageOf } from "#shared/errors.ts";
import { type Schema, simplified } from "#shared/json-schema.ts";
import { readJson } from "#shared/read-text.ts";
import type { JobSummary } from "#shared/job.ts";
import { type Api, openApi } from "./api.ts";
import { findKind } from "./kinds.ts";
import { addQueueOptions, type QueueArguments, queueFieldsOf } from "./queue-options.ts";
import { jobTarget, watch } from "./watch.ts";

interface CreateOptions extends QueueArguments {
  input?: string;
  key?: string;
  watch?: true;
  json?: true;
}

export function addCreateCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("create")
    .description("creates a job, and prints its id")
    .argument("<kind>", "what it is to do: `jobwire kinds` prints them")
    .argument("[field=value...]", "its input: `jobwire kinds KIND` prints the fields")
    .option(
      "--input <json>",
      "the input as JSON; @FILE reads it from a file, and - from the standard input",
    );
  addQueueOptions(command)
    .option("--key <key>", "creates nothing if a job was created with this key before")
    .option("--watch", "show its progress until it settles")
    .option("--json", "print its record as JSON, or its events with --watch")
    .action((kind: string, fields: string[], options: CreateOptions) =>
      create({ kind, fields, options }, context),
    );
}

async function create(
  { kind, fields, options }: { kind: string; fields: string[]; options: CreateOptions },
  context: CommandContext,
): Promise<void> {
  const { env, stdout, now } = context;
  const queue = queueFieldsOf(options, now());
  const api = openApi(env);
  const input = await inputOf({ api, kind, fields, given: options.input }, context);
  const job = await api.call<Pick<JobSummary, "id" | "title" | "kind">>("POST", "/jobs", {
    body: { kind, input, ...queue },
    idempotencyKey: options.key ?? newKey(),
  });
  const { json } = options;
  if (options.watch) return watch([jobTarget(job)], { api, json }, context);
  stdout.write(json ? `${JSON.stringify(job)}\n` : `${job.id}\n`);
}

interface InputArguments {
  api: Api;
  kind: string;
  fields: readonly string[];
  given: string | undefined;
}

async function inputOf(
  { api, kind, fields, given }: InputArguments,
  context: CommandContext,
): Promise<unknown> {
  if (given === undefined) {
    if (fields.length === 0) return {};
    return fieldsAsInput(fields, (await findKind(api, kind)).input);
  }
  if (fields.length > 0)
    throw new UsageError("Give the input by --input or by fields, not by both.");
  const read = readJson(await textOf(given, context));
  if ("value" in read) return read.value;
  throw new UsageError(`--input: ${read.error}.`);
}

async function textOf(given: string, { readInput }: CommandContext): Promise<string> {
  if (given === "-") return Buffer.from(await readInput()).toString("utf8");
  if (!given.startsWith("@")) return given;
  try {
    return await readFile(given.slice(1), "utf8");
  } catch (error) {
    throw new UsageError(`--input: ${messageOf(error)}.`);
  }
}

/** By the schema of the kind, as the cells of a CSV file are read. */
function fieldsAsInput(fields: readonly string[], schema: Schema): Record<string, unknown> {
  const columns = columnsOf(simplified(schema));
  const input = Object.create(null) as Record<string, unknown>;
  for (const field of fields) {
    const at = field.indexOf("=");
    if (at < 1) throw new UsageError(`${JSON.stringify(field)} is no field=value.`);
    const name = field.slice(0, at);
    const column = findColumn(columns, name);
    if (column === undefined) {
      const known = columns.map((each) => each.name).join(", ");
      throw new UsageError(`The kind has no field ${JSON.stringify(name)}, but: ${known}.`);
    }
    const read = readCell(column.schema, field.slice(at + 1));
    if ("error" in read) throw new UsageError(`${column.name}: ${read.error}.`);
    putIn(input, column.path, read.value);
  }
  return input;
}

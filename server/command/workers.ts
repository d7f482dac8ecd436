/** `jobwire workers`: which workers there are, and which of them start no more jobs. */
import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import type { Management } from "#server/auth/management.ts";
import { loadConfig } from "#server/config.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import { AppError } from "#shared/errors.ts";
import type { Worker } from "#shared/worker.ts";
import { allPages } from "./all-pages.ts";
import type { CommandContext } from "./context.ts";
import { withManagement } from "./reach-data.ts";
import { formatTable, formatTime } from "./table.ts";
import { UsageError } from "./usage-error.ts";

interface Options {
  json?: true;
  wait?: true;
}

/** Between two looks at a worker that drains. */
const LOOK_MS = 500;

export function addWorkersCommand(program: Command, context: CommandContext): void {
  const workers = program
    .command("workers")
    .description("prints the workers, and what they run")
    .option("--json", "print them as JSON, one a line, with their jobs")
    .helpCommand(false)
    .action((options: Options) => list(options, context));
  workers
    .command("drain <worker>")
    .description("lets a worker finish its jobs and start no more")
    .option("--wait", "return when it has no more jobs")
    .option("--json", "print it as JSON")
    .action((name: string, _: Options, command: Command) =>
      change("drain", name, command.optsWithGlobals<Options>(), context),
    );
  workers
    .command("resume <worker>")
    .description("lets it start jobs again")
    .option("--json", "print it as JSON")
    .action((name: string, _: Options, command: Command) =>
      change("resume", name, command.optsWithGlobals<Options>(), context),
    );
}

const allOf = ({ workers }: Management) => allPages((page) => workers.list(page));

async function list({ json }: Options, { env, stdout, now }: CommandContext): Promise<void> {
  const all = await withManagement(loadConfig(env), now, allOf);
  if (json) return void stdout.write(all.map((each) => `${JSON.stringify(each)}\n`).join(""));
  if (all.length === 0) return void stdout.write("There are no workers.\n");
  const head = ["ID", "NAME", "HOST", "PID", "VERSION", "STATE", "JOBS", "STARTED", "KINDS"];
  stdout.write(formatTable(head, all.map(rowOf)));
}

function rowOf(worker: Worker): string[] {
  const { id, name, host, pid, version, state, running, slots, startedAt } = worker;
  const jobs = `${running}/${slots}`;
  const hidden = worker.kindCount - worker.kinds.length;
  const kinds = worker.kinds.join(" ") + (hidden > 0 ? ` and ${hidden} more` : "");
  return [id, name, host, `${pid}`, version, state, jobs, formatTime(startedAt), kinds];
}

async function change(
  verb: "drain" | "resume",
  name: string,
  { json, wait }: Options,
  { env, stdout, now }: CommandContext,
): Promise<void> {
  const config = loadConfig(env);
  let worker = await withManagement(config, now, async (management) => {
    const { id } = named(await allOf(management), name);
    return management.workers[verb](id, COMMAND_ACTOR);
  });
  while (wait && worker.state !== "drained") {
    await pause(LOOK_MS);
    worker = await withManagement(config, now, async (management) =>
      stillDraining(await allOf(management), worker),
    );
  }
  if (json) return void stdout.write(`${JSON.stringify(worker)}\n`);
  stdout.write(`${textOf(worker)}\n`);
}

/** The worker with this id, or the only one with this name. */
function named(all: readonly Worker[], name: string): Worker {
  const found = all.filter((worker) => worker.id === name || worker.name === name);
  const [worker, other] = found;
  if (worker === undefined) {
    throw new AppError("NOT_FOUND", `There is no worker ${JSON.stringify(name)}.`);
  }
  if (other === undefined) return worker;
  throw new UsageError(
    `${found.length} workers have the name ${JSON.stringify(name)}. Name one by its id: ${found.map(({ id }) => id).join(", ")}.`,
  );
}

function stillDraining(all: readonly Worker[], { id, name }: Worker): Worker {
  const worker = all.find((each) => each.id === id);
  if (worker?.state === "draining" || worker?.state === "drained") return worker;
  throw new AppError(
    "NOT_FOUND",
    worker === undefined
      ? `The worker ${name} ended before it was drained.`
      : `The worker ${name} is not draining any more: it is ${worker.state}.`,
  );
}

function textOf({ name, id, state, running }: Worker): string {
  const who = `The worker ${name} (${id})`;
  if (state === "drained") return `${who} is drained: it has no more jobs.`;
  if (state === "draining") return `${who} starts no more jobs. It still has ${running}.`;
  return `${who} starts jobs again.`;
}

/** `jobwire cancel` and `jobwire retry`. */
import type { Command } from "commander";
import type { CommandContext } from "#server/command/context.ts";
import { Exit, FAILED } from "#server/command/exit.ts";
import { printable } from "#server/command/printable.ts";
import { AppError } from "#shared/errors.ts";
import { type Api, openApi } from "./api.ts";
import { checkIds } from "./ids.ts";
import { findTarget, type Target } from "./watch.ts";

interface DecideOptions {
  note?: string;
  json?: true;
}

const DONE = { cancel: "Cancelled", retry: "Runs again:" } as const;
type Decision = keyof typeof DONE;

export function addDecisionCommands(program: Command, context: CommandContext): void {
  program
    .command("cancel")
    .description("cancels jobs, or the jobs of batches, that have not settled")
    .argument("<id...>", "of jobs or batches")
    .option("--note <text>", "why, for people")
    .option("--json", "print their records as JSON, one a line")
    .action((ids: string[], options: DecideOptions) => decide("cancel", ids, options, context));
  program
    .command("retry")
    .description("runs aborted jobs again")
    .argument("<id...>", "of jobs")
    .option("--note <text>", "why, for people")
    .option("--json", "print their records as JSON, one a line")
    .action((ids: string[], options: DecideOptions) => decide("retry", ids, options, context));
}

/** Goes on after one that is refused, and then ends with 1. */
async function decide(
  decision: Decision,
  given: string[],
  { note, json }: DecideOptions,
  { env, stdout, stderr }: CommandContext,
): Promise<void> {
  const api = openApi(env);
  let failed = 0;
  for (const id of checkIds(given)) {
    try {
      const target = await findTarget(api, id);
      const record = await decideOne(api, decision, target, note);
      stdout.write(json ? `${JSON.stringify(record)}\n` : `${DONE[decision]} ${nameOf(target)}.\n`);
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "UNAUTHENTICATED") throw error;
      failed += 1;
      stderr.write(`error: ${id}: ${error.message}\n`);
    }
  }
  if (failed > 0) throw new Exit(FAILED);
}

function decideOne(
  api: Api,
  decision: Decision,
  { is, id }: Target,
  note: string | undefined,
): Promise<unknown> {
  if (is === "batch" && decision === "retry") {
    throw new AppError("BAD_REQUEST", "This is a batch. Name the jobs that are to run again.");
  }
  const path = is === "job" ? `/jobs/${id}/${decision}` : `/batches/${id}/${decision}`;
  return api.call("POST", path, { body: note === undefined ? {} : { note } });
}

function nameOf({ is, id, name }: Target): string {
  return `the ${is} ${id} (${printable(name)})`;
}

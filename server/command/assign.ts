/** `jobwire assign`: gives the jobs that were created without sign-in to a user. */
import type { Command } from "commander";
import { loadConfig } from "#server/config.ts";
import { CheckedUserSchema } from "#shared/known-user.schema.ts";
import type { UserRef } from "#shared/known-user.ts";
import type { Assigned } from "#server/auth/management.ts";
import { AppError } from "#shared/errors.ts";
import { checkArguments } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { withManagement } from "./reach-data.ts";
import { UsageError } from "./usage-error.ts";

interface AssignOptions {
  tenant?: string;
  user: string;
  json?: true;
}

export function addAssignCommand(program: Command, context: CommandContext): void {
  program
    .command("assign")
    .description(
      'gives the jobs and batches that were created without sign-in to a user (with Redis, to another tenant than "local" only those that have settled)',
    )
    .option("--tenant <tenant>", "the tenant of the user (default: AUTH_DEFAULT_TENANT)")
    .requiredOption("--user <user>", "the user")
    .option("--json", "print how many as JSON")
    .action((options: AssignOptions) => assign(options, context));
}

async function assign(options: AssignOptions, { env, stdout, now }: CommandContext): Promise<void> {
  const config = loadConfig(env);
  const tenant = options.tenant ?? config.AUTH_DEFAULT_TENANT;
  if (tenant === undefined) {
    throw new UsageError("--tenant: name the tenant, or set AUTH_DEFAULT_TENANT.");
  }
  const to = checkArguments(CheckedUserSchema, { tenant, user: options.user });
  const assigned = await withManagement(config, now, async ({ jobs }) => {
    let sum = 0;
    for (;;) {
      const { moved, unsettled } = await jobs.assign(to);
      if (moved === 0) return { moved: sum, unsettled };
      sum += moved;
    }
  });
  const text = options.json ? JSON.stringify({ ...to, ...assigned }) : describe(assigned, to);
  if (text !== "") stdout.write(`${text}\n`);
  if (assigned.unsettled.count > 0) throw notYet(assigned.unsettled);
}

function describe({ moved, unsettled }: Assigned, { tenant, user }: UserRef): string {
  if (moved === 0) {
    return unsettled.count > 0 ? "" : "There are no jobs that were created without sign-in.";
  }
  const what = moved === 1 ? "1 job or batch" : `${moved} jobs and batches`;
  return `Gave ${what} that ${moved === 1 ? "was" : "were"} created without sign-in to ${user} of ${tenant}.`;
}

function notYet({ count, some }: Assigned["unsettled"]): AppError {
  const what = count === 1 ? "1 job was" : `${count} jobs were`;
  const names = some.length === 0 ? "" : ` Not settled: ${some.join(", ")}.`;
  return new AppError(
    "UNAVAILABLE",
    `${what} not given: with Redis, jobs go to another tenant once they, and all others of their batches, have settled.` +
      `${names} Run the command again then.`,
  );
}

/** `jobwire assign`: gives the jobs that were created without sign-in to a user. */
import type { Command } from "commander";
import { loadConfig } from "#server/config.ts";
import { CheckedUserSchema } from "#shared/known-user.schema.ts";
import type { UserRef } from "#shared/known-user.ts";
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
    .description("gives the jobs and batches that were created without sign-in to a user")
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
  const moved = await withManagement(config, now, async ({ jobs }) => {
    let sum = 0;
    for (;;) {
      const some = await jobs.assign(to);
      if (some === 0) return sum;
      sum += some;
    }
  });
  stdout.write(`${options.json ? JSON.stringify({ ...to, moved }) : describe(moved, to)}\n`);
}

function describe(moved: number, { tenant, user }: UserRef): string {
  if (moved === 0) return "There are no jobs that were created without sign-in.";
  const what = moved === 1 ? "1 job or batch" : `${moved} jobs and batches`;
  return `Gave ${what} that ${moved === 1 ? "was" : "were"} created without sign-in to ${user} of ${tenant}.`;
}

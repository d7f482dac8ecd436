/** `jobwire assign`: gives the jobs that were created without sign-in to a user. */
import type { Command } from "commander";
import { loadConfig } from "#server/config.ts";
import { CheckedUserSchema } from "#shared/known-user.schema.ts";
import type { UserRef } from "#shared/known-user.ts";
import type { AssignedAll } from "#server/auth/management.ts";
import { AppError } from "#shared/errors.ts";
import { pluralize } from "#shared/pluralize.ts";
import { checkArguments } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { printable } from "./printable.ts";
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
      'gives the jobs, batches and schedules that were created without sign-in to a user (with Redis, to another tenant than "local" only jobs that have settled)',
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
    let [sum, given] = [0, 0];
    for (;;) {
      const { moved, unsettled, schedules } = await jobs.assign(to);
      given += schedules.moved;
      if (moved === 0) {
        return { moved: sum, unsettled, schedules: { moved: given, left: schedules.left } };
      }
      sum += moved;
    }
  });
  const text = options.json ? JSON.stringify({ ...to, ...assigned }) : describe(assigned, to);
  if (text !== "") stdout.write(`${text}\n`);
  const left = [
    notYet(assigned.unsettled),
    ...assigned.schedules.left.map((each) => kept(each, to)),
  ];
  const reasons = left.filter((reason) => reason !== undefined);
  if (reasons.length > 0) throw new AppError("UNAVAILABLE", reasons.join("\n"));
}

function describe({ moved, unsettled, schedules }: AssignedAll, { tenant, user }: UserRef): string {
  const given = [
    ...(moved === 0 ? [] : [moved === 1 ? "1 job or batch" : `${moved} jobs and batches`]),
    ...(schedules.moved === 0 ? [] : [pluralize(schedules.moved, "schedule")]),
  ];
  if (given.length === 0) {
    const isNothing = unsettled.count === 0 && schedules.left.length === 0;
    return isNothing ? "There are no jobs and schedules that were created without sign-in." : "";
  }
  const was = moved + schedules.moved === 1 ? "was" : "were";
  return `Gave ${given.join(" and ")} that ${was} created without sign-in to ${user} of ${tenant}.`;
}

const REASONS = {
  busy: () => "one of its times is just coming. Run the command again while a server runs",
  taken: ({ user }: UserRef) => `${user} has one of this name. Delete one of the two`,
  full: ({ tenant }: UserRef) => `${tenant} has as many schedules as a tenant may have`,
} satisfies Record<LeftSchedule["why"], (to: UserRef) => string>;

type LeftSchedule = AssignedAll["schedules"]["left"][number];

function kept({ id, key, why }: LeftSchedule, to: UserRef): string {
  return `The schedule ${printable(key)} (${id}) was not given: ${REASONS[why](to)}.`;
}

function notYet({ count, some }: AssignedAll["unsettled"]): string | undefined {
  if (count === 0) return undefined;
  const what = count === 1 ? "1 job was" : `${count} jobs were`;
  const names = some.length === 0 ? "" : ` Not settled: ${some.join(", ")}.`;
  return (
    `${what} not given: with Redis, jobs go to another tenant once they, and all others of their batches, have settled.` +
    `${names} Run the command again then.`
  );
}

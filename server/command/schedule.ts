/** `jobwire schedule`: lists, pauses, resumes, fires and deletes schedules. */
import type { Command } from "commander";
import { z } from "zod";
import type { Management } from "#server/auth/management.ts";
import { loadConfig } from "#server/config.ts";
import type { ScheduleSummary } from "#shared/schedule.ts";
import { allPages } from "./all-pages.ts";
import type { CommandContext } from "./context.ts";
import { printable } from "./printable.ts";
import { withManagement } from "./reach-data.ts";
import { formatTable, formatTime } from "./table.ts";
import { UsageError } from "./usage-error.ts";

interface ListOptions {
  tenant?: string;
  user?: string;
  json?: true;
}

type Verb = Exclude<keyof Management["schedules"], "list">;

/** The line for people when it is done. */
const DONE: Record<Verb, string> = {
  pause: "Paused",
  resume: "Resumed",
  trigger: "A server creates a job now for",
  delete: "Deleted",
};
const DESCRIPTIONS: Record<Verb, string> = {
  pause: "lets it create no jobs until it is resumed",
  resume: "lets it create jobs again; what it missed is left to its policy",
  trigger: "creates a job now, and leaves its times as they are",
  delete: "removes it; its jobs stay",
};

export function addScheduleCommand(program: Command, context: CommandContext): void {
  const schedule = program
    .command("schedule")
    .description("manages the schedules that create jobs")
    .helpCommand(false);
  schedule
    .command("list")
    .description("prints the schedules, newest first")
    .option("--tenant <tenant>", "only those of this tenant")
    .option("--user <user>", "only those of this user of the tenant (default: AUTH_DEFAULT_TENANT)")
    .option("--json", "print their records as JSON, one a line")
    .action((options: ListOptions) => list(options, context));
  for (const verb of Object.keys(DONE) as Verb[]) {
    schedule
      .command(`${verb} <id>`)
      .description(DESCRIPTIONS[verb])
      .option("--json", "print its record as JSON")
      .action((id: string, options: { json?: true }) => change(verb, id, options, context));
  }
}

async function list(
  { tenant: given, user: owner, json }: ListOptions,
  { env, stdout, now }: CommandContext,
): Promise<void> {
  const config = loadConfig(env);
  const tenant = given ?? (owner === undefined ? undefined : config.AUTH_DEFAULT_TENANT);
  if (owner !== undefined && tenant === undefined) {
    throw new UsageError("--tenant: name the tenant of the user, or set AUTH_DEFAULT_TENANT.");
  }
  const all = await withManagement(config, now, ({ schedules }) =>
    allPages((page) => schedules.list({ tenant, owner, ...page })),
  );
  if (json) {
    stdout.write(all.map((each) => `${JSON.stringify(each)}\n`).join(""));
    return;
  }
  if (all.length === 0) return void stdout.write("There are no schedules.\n");
  const head = ["ID", "TENANT", "USER", "KEY", "KIND", "WHEN", "OPTIONS", "NEXT", "LAST", "STATE"];
  stdout.write(formatTable(head, all.map(rowOf)));
}

function rowOf(schedule: ScheduleSummary): string[] {
  const { id, tenant, owner, key, kind, nextAt, pausedAt, lastAt } = schedule;
  const next = formatTime(pausedAt === null ? nextAt : null);
  const texts = [tenant, owner, key, kind, whenOf(schedule)].map(printable);
  return [id, ...texts, optionsOf(schedule), next, formatTime(lastAt), stateOf(schedule)];
}

function whenOf({ cron, timeZone, everyMs, at }: ScheduleSummary): string {
  if (cron !== null) return `${cron} ${timeZone ?? ""}`;
  return everyMs === null ? `at ${formatTime(at)}` : `every ${everyMs} ms`;
}

/** Of its jobs, where they are not the usual ones. */
function optionsOf({ priority, expiresInMs, maxAttempts }: ScheduleSummary): string {
  const given = [
    ["priority", priority],
    ["expires-ms", expiresInMs],
    ["attempts", maxAttempts],
  ] as const;
  const words = given.flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]));
  return words.length === 0 ? "-" : words.join(" ");
}

function stateOf({ nextAt, pausedAt, lastAt, lastError }: ScheduleSummary): string {
  if (lastError !== null && (lastAt === null || lastError.dueAt > lastAt)) {
    return `failed: ${lastError.code}`;
  }
  if (pausedAt !== null) return "paused";
  return nextAt === null ? "finished" : "active";
}

async function change(
  verb: Verb,
  given: string,
  { json }: { json?: true },
  { env, stdout, now }: CommandContext,
): Promise<void> {
  const id = z.uuid().safeParse(given);
  if (!id.success) {
    throw new UsageError("A schedule is named by its id, which `jobwire schedule list` prints.");
  }
  const record = await withManagement(loadConfig(env), now, ({ schedules }) =>
    schedules[verb](id.data),
  );
  const { key, owner, tenant } = record;
  stdout.write(
    json
      ? `${JSON.stringify(record)}\n`
      : `${DONE[verb]} the schedule ${printable(key)} of ${printable(owner)} at ${printable(tenant)}.\n`,
  );
}

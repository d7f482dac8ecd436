/** `jobwire pause`, `resume` and `pauses`: lets jobs wait, and start again. */
import type { Command } from "commander";
import { loadConfig } from "#server/config.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import { MAX_PAUSE_NOTE_CHARS } from "#shared/limits.ts";
import { type Pause, type PauseScope, textOfScope } from "#shared/pause.ts";
import type { CommandContext } from "./context.ts";
import { withManagement } from "./reach-data.ts";
import { formatTable, formatTime } from "./table.ts";
import { UsageError } from "./usage-error.ts";

interface Options {
  tenant?: string;
  kind?: string;
  note?: string;
  json?: true;
}

export function addPauseCommands(program: Command, context: CommandContext): void {
  program
    .command("pause")
    .description("lets no job start until it is resumed; those that run go on")
    .option("--tenant <tenant>", "only jobs of this tenant")
    .option("--kind <kind>", "only jobs of this kind")
    .option("--note <text>", "the reason, which people see")
    .option("--json", "print the pause as JSON")
    .action((options: Options) => set(options, context));
  program
    .command("resume")
    .description("ends a pause")
    .option("--tenant <tenant>", "that of this tenant (default: that of all tenants)")
    .option("--kind <kind>", "that of this kind (default: that of all kinds)")
    .option("--json", "print it as JSON")
    .action((options: Options) => remove(options, context));
  program
    .command("pauses")
    .description("prints what is paused")
    .option("--json", "print it as JSON, one a line")
    .action((options: Options) => list(options, context));
}

/** The same bounds as those of requests. */
function scopeOf({ tenant, kind }: Options): PauseScope {
  if (tenant === "") throw new UsageError("--tenant: a tenant's name is not empty.");
  if (kind === "") throw new UsageError("--kind: a kind's name is not empty.");
  return { ...(tenant !== undefined && { tenant }), ...(kind !== undefined && { kind }) };
}

async function set(options: Options, { env, stdout, now }: CommandContext): Promise<void> {
  const { note = "", json } = options;
  const scope = scopeOf(options);
  if (note.length > MAX_PAUSE_NOTE_CHARS) {
    throw new UsageError(`--note: it has more than ${MAX_PAUSE_NOTE_CHARS} characters.`);
  }
  const pause = await withManagement(loadConfig(env), now, ({ pauses }) =>
    pauses.set({ ...scope, note }, COMMAND_ACTOR),
  );
  const text = `Paused: ${textOfScope(scope)}, since ${formatTime(pause.at)}. Jobs that run go on.`;
  stdout.write(json ? `${JSON.stringify(pause)}\n` : `${text}\n`);
}

async function remove(options: Options, { env, stdout, now }: CommandContext): Promise<void> {
  const scope = scopeOf(options);
  const pause = await withManagement(loadConfig(env), now, ({ pauses }) =>
    pauses.remove(scope, COMMAND_ACTOR),
  );
  stdout.write(
    options.json ? `${JSON.stringify(pause)}\n` : `Resumed: ${textOfScope(scope)}. Jobs start.\n`,
  );
}

async function list({ json }: Options, { env, stdout, now }: CommandContext): Promise<void> {
  const all = await withManagement(loadConfig(env), now, ({ pauses }) => pauses.list());
  if (json) return void stdout.write(all.map((each) => `${JSON.stringify(each)}\n`).join(""));
  if (all.length === 0) return void stdout.write("Nothing is paused.\n");
  stdout.write(formatTable(["PAUSED", "SINCE", "USER", "VIA", "NOTE"], all.map(rowOf)));
}

function rowOf(pause: Pause): string[] {
  const { at, by, note } = pause;
  return [textOfScope(pause), formatTime(at), by.user, by.via, note].map(printable);
}

/** People choose names and notes, and a terminal obeys control characters. */
function printable(text: string): string {
  return text === "" ? "-" : text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\uFFFD");
}

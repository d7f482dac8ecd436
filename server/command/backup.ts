/** `jobwire backup` and `jobwire restore`: the data of the embedded engine in a file, and back. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { type Config, loadConfig } from "#server/config.ts";
import { requestBackup } from "#server/control/client.ts";
import { selectEngine } from "#server/engine/index.ts";
import { AppError } from "#shared/errors.ts";
import type { CommandContext } from "./context.ts";
import { askServerOr } from "./reach-data.ts";
import { formatTime } from "./table.ts";

export function addBackupCommands(program: Command, context: CommandContext): void {
  program
    .command("backup <file>")
    .description("writes all data of the embedded engine to a new file, also while a server runs")
    .option("--json", "print the file and its size as JSON")
    .action((file: string, options: { json?: true }) => backUp(file, options, context));
  program
    .command("restore <file>")
    .description("puts a backup into an empty DATA_DIR, after it has checked the file")
    .option("--json", "print how many jobs it has as JSON")
    .action((file: string, options: { json?: true }) => restore(file, options, context));
}

async function backUp(
  file: string,
  { json }: { json?: true },
  { env, stdout }: CommandContext,
): Promise<void> {
  const config = loadConfig(env);
  const engine = embeddedEngine(config);
  const path = resolve(file);
  const { bytes } = await askServerOr(config, {
    ask: (socketPath) => requestBackup(socketPath, path),
    otherwise: () => engine.backUp(config, path),
  });
  stdout.write(json ? `${JSON.stringify({ path, bytes })}\n` : `Wrote ${path}, ${bytes} bytes.\n`);
}

async function restore(
  file: string,
  { json }: { json?: true },
  { env, stdout }: CommandContext,
): Promise<void> {
  const config = loadConfig(env);
  const path = resolve(file);
  const { jobs, newest } = await embeddedEngine(config).restore(config, path);
  if (json) return void stdout.write(`${JSON.stringify({ path, jobs, newest })}\n`);
  const what = newest === null ? "no jobs" : `jobs: ${jobs}, the newest of ${formatTime(newest)}`;
  stdout.write(`Restored ${path} to ${resolve(config.DATA_DIR)}: ${what}.\n`);
}

function embeddedEngine(config: Config) {
  const { name, backUp: makes, restore: takes } = selectEngine(config);
  if (makes === undefined || takes === undefined) {
    throw new AppError(
      "BAD_REQUEST",
      `The data are in ${name}, which is backed up by means of its own: docs/operations.md says how.`,
    );
  }
  return { backUp: makes, restore: takes };
}

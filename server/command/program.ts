/** The command `jobwire`: its verbs, its exit codes, and its errors for people. */
import { Command, CommanderError } from "commander";
import { AppError, messageOf } from "#shared/errors.ts";
import pkg from "#package.json" with { type: "json" };
import { ConfigError } from "#server/config.ts";
import { addAssignCommand } from "./assign.ts";
import { addAuditCommand } from "./audit.ts";
import { addBackupCommands } from "./backup.ts";
import type { CommandContext } from "./context.ts";
import { addClientCommands, WAITING_VERBS } from "./client/commands.ts";
import { addDoctorCommand } from "./doctor.ts";
import { Exit, FAILED, WRONG_USAGE, WRONG_USAGE_OF_JOBS } from "./exit.ts";
import { addKeysCommand } from "./keys.ts";
import { addMigrateCommand } from "./migrate.ts";
import { addPauseCommands } from "./pauses.ts";
import { addRevokeCommand } from "./revoke.ts";
import { addScheduleCommand } from "./schedule.ts";
import { addStartCommands } from "./start.ts";
import { addTokenCommand } from "./token.ts";
import { addUsersCommand } from "./users.ts";
import { addWorkersCommand } from "./workers.ts";
import { UsageError } from "./usage-error.ts";

/** Resolves to the exit code, as `exit.ts` has them. */
export async function runCommand(
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  const { stdout, stderr } = context;
  const program = new Command("jobwire")
    .description(
      "Creates and watches jobs of a server, starts one, and manages it with the same environment variables.",
    )
    .version(pkg.version)
    // Inherited by the verbs, so it stands before them.
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    });
  addAssignCommand(program, context);
  addAuditCommand(program, context);
  addBackupCommands(program, context);
  addClientCommands(program, context);
  addDoctorCommand(program, context);
  addKeysCommand(program, context);
  addMigrateCommand(program, context);
  addPauseCommands(program, context);
  addRevokeCommand(program, context);
  addScheduleCommand(program, context);
  addStartCommands(program, context);
  addTokenCommand(program, context);
  addUsersCommand(program, context);
  addWorkersCommand(program, context);
  const wrongUsage = WAITING_VERBS.has(args[0] ?? "") ? WRONG_USAGE_OF_JOBS : WRONG_USAGE;
  try {
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    // commander has printed its own errors, and the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : wrongUsage;
    if (error instanceof Exit) return error.code;
    stderr.write(`${explain(error)}\n`);
    return error instanceof UsageError ? wrongUsage : FAILED;
  }
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof AppError || error instanceof UsageError) return `error: ${error.message}`;
  return `error: The command failed: ${messageOf(error)}`;
}

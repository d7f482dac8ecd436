/** The command `jobwire`: its verbs, its exit codes, and its errors for people. */
import { Command, CommanderError } from "commander";
import { AppError, messageOf } from "#shared/errors.ts";
import pkg from "#package.json" with { type: "json" };
import { ConfigError } from "#server/config.ts";
import { addAssignCommand } from "./assign.ts";
import { addAuditCommand } from "./audit.ts";
import { addBackupCommands } from "./backup.ts";
import type { CommandContext } from "./context.ts";
import { addDoctorCommand, Failed } from "./doctor.ts";
import { addKeysCommand } from "./keys.ts";
import { addPauseCommands } from "./pauses.ts";
import { addRevokeCommand } from "./revoke.ts";
import { addScheduleCommand } from "./schedule.ts";
import { addStartCommands } from "./start.ts";
import { addTokenCommand } from "./token.ts";
import { addUsersCommand } from "./users.ts";
import { addWorkersCommand } from "./workers.ts";
import { UsageError } from "./usage-error.ts";

const FAILED = 1;
const WRONG_USAGE = 2;

/** Resolves to the exit code: 0, 1 for a failure, 2 for arguments that are wrong. */
export async function runCommand(
  args: readonly string[],
  context: CommandContext,
): Promise<0 | 1 | 2> {
  const { stdout, stderr } = context;
  const program = new Command("jobwire")
    .description("Starts a Jobwire server, and manages it with the same environment variables.")
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
  addDoctorCommand(program, context);
  addKeysCommand(program, context);
  addPauseCommands(program, context);
  addRevokeCommand(program, context);
  addScheduleCommand(program, context);
  addStartCommands(program, context);
  addTokenCommand(program, context);
  addUsersCommand(program, context);
  addWorkersCommand(program, context);
  try {
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    // commander has printed its own errors, and the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
    if (error instanceof Failed) return FAILED;
    stderr.write(`${explain(error)}\n`);
    return error instanceof UsageError ? WRONG_USAGE : FAILED;
  }
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof AppError || error instanceof UsageError) return `error: ${error.message}`;
  return `error: The command failed: ${messageOf(error)}`;
}

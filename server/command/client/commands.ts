/** The verbs that are clients of a running server. */
import type { Command } from "commander";
import { addBatchCommand } from "./batch.ts";
import { addCreateCommand } from "./create.ts";
import { addDecisionCommands } from "./decide.ts";
import { addKindsCommand } from "./kinds.ts";
import { addListCommand } from "./list.ts";
import { addWatchCommand } from "./watch-command.ts";
import type { CommandContext } from "#server/command/context.ts";

/** Those whose exit code tells how jobs ended. */
export const WAITING_VERBS: ReadonlySet<string> = new Set(["batch", "create", "watch"]);

export function addClientCommands(program: Command, context: CommandContext): void {
  addBatchCommand(program, context);
  addCreateCommand(program, context);
  addDecisionCommands(program, context);
  addKindsCommand(program, context);
  addListCommand(program, context);
  addWatchCommand(program, context);
}

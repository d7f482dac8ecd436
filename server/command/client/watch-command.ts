/** `jobwire watch`. */
import type { Command } from "commander";
import type { CommandContext } from "#server/command/context.ts";
import { openApi } from "./api.ts";
import { checkIds } from "./ids.ts";
import { findTarget, watch } from "./watch.ts";

export function addWatchCommand(program: Command, context: CommandContext): void {
  program
    .command("watch")
    .description("shows the progress of jobs and batches until they have settled")
    .argument("<id...>", "of jobs or batches")
    .option("--json", "print their events as JSON, one a line")
    .action(async (given: string[], { json }: { json?: true }) => {
      const ids = checkIds(given);
      const api = openApi(context.env);
      const targets = await Promise.all(ids.map((id) => findTarget(api, id)));
      await watch(targets, { api, json }, context);
    });
}

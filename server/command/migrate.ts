/** `jobwire migrate`: copies the data of one engine to the other. */
import type { Command } from "commander";
import type { CommandContext } from "./context.ts";
import { Exit } from "./exit.ts";

export function addMigrateCommand(program: Command, { env, stdout, stderr }: CommandContext): void {
  program
    .command("migrate")
    .description("copies the data in DATA_DIR to the Redis of REDIS_URL; stop the server before")
    .requiredOption("--from <engine>", "sqlite")
    .requiredOption("--to <engine>", "redis")
    .action(async ({ from, to }: { from: string; to: string }) => {
      // The other commands need none of it.
      const { runMigration } = await import("#server/migrate.ts");
      const { code, message } = await runMigration(["--from", from, "--to", to], env);
      (code === 0 ? stdout : stderr).write(`${message}\n`);
      if (code !== 0) throw new Exit(code);
    });
}

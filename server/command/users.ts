/** `jobwire users`: prints the users that the server knows of. */
import type { Command } from "commander";
import { loadConfig } from "#server/config.ts";
import type { KnownUser, UserRef } from "#shared/known-user.ts";
import type { CommandContext } from "./context.ts";
import { printable } from "./printable.ts";
import { withManagement } from "./reach-data.ts";
import { formatTable, formatTime } from "./table.ts";

interface ListOptions {
  tenant?: string;
  json?: true;
}

export function addUsersCommand(program: Command, context: CommandContext): void {
  // `jobwire users` lists; further verbs become its subcommands.
  program
    .command("users")
    .description("prints who has jobs, API keys or sign-ins, and who was revoked")
    .option("--tenant <tenant>", "only those of this tenant")
    .option("--json", "print them as JSON, one a line")
    .action((options: ListOptions) => list(options, context));
}

async function list(
  { tenant, json }: ListOptions,
  { env, stdout, now }: CommandContext,
): Promise<void> {
  const users = await withManagement(loadConfig(env), now, async (management) => {
    const all: KnownUser[] = [];
    let after: UserRef | null = null;
    do {
      const page = await management.users.list({ tenant, after });
      all.push(...page.items);
      after = page.next;
    } while (after !== null);
    return all;
  });
  if (json) {
    stdout.write(users.map((user) => `${JSON.stringify(user)}\n`).join(""));
    return;
  }
  if (users.length === 0) return void stdout.write("There are no users.\n");
  const head = ["TENANT", "USER", "JOBS", "KEYS", "SIGN-INS", "REVOKED"];
  stdout.write(formatTable(head, users.map(rowOf)));
}

function rowOf({ tenant, user, jobs, apiKeys, signIns, revokedBefore }: KnownUser): string[] {
  const counts = [jobs, apiKeys, signIns].map(String);
  return [printable(tenant), printable(user), ...counts, formatTime(revokedBefore)];
}

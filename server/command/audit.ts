/** `jobwire audit`. */
import { type Command, Option } from "commander";
import { loadConfig } from "#server/config.ts";
import { AUDIT_ACTIONS, type AuditAction, type AuditItem, INSTANCE_LIST } from "#shared/audit.ts";
import { allPages } from "./all-pages.ts";
import type { CommandContext } from "./context.ts";
import { withManagement } from "./reach-data.ts";
import { formatTable } from "./table.ts";
import { UsageError } from "./usage-error.ts";

interface AuditOptions {
  tenant?: string;
  instance?: true;
  user?: string;
  action?: AuditAction;
  limit: number;
  json?: true;
}

const DEFAULT_LIMIT = 50;

export function addAuditCommand(program: Command, context: CommandContext): void {
  program
    .command("audit")
    .description("prints who did what in a tenant, newest first")
    .option("--tenant <tenant>", "the tenant (default: AUTH_DEFAULT_TENANT)")
    .option("--instance", "instead of those of a tenant, what concerns the whole instance")
    .option("--user <user>", "only what this user did")
    .addOption(new Option("--action <action>", "only this").choices(AUDIT_ACTIONS))
    .option("--limit <number>", "so many entries at most", parseLimit, DEFAULT_LIMIT)
    .option("--json", "print the entries as JSON, one a line")
    .action((options: AuditOptions) => list(options, context));
}

async function list(options: AuditOptions, { env, stdout, now }: CommandContext): Promise<void> {
  const { user, action, limit, json } = options;
  const config = loadConfig(env);
  const tenant = options.instance ? INSTANCE_LIST : options.tenant || config.AUTH_DEFAULT_TENANT;
  if (tenant === undefined) {
    throw new UsageError(
      "--tenant: name the tenant, or set AUTH_DEFAULT_TENANT. Or ask for --instance.",
    );
  }
  const entries = await withManagement(config, now, ({ audit }) =>
    allPages((page) => audit.list({ tenant, user, action, ...page }), limit),
  );
  if (json) {
    stdout.write(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
    return;
  }
  if (entries.length === 0) return void stdout.write("There are no entries.\n");
  stdout.write(
    formatTable(["TIME", "USER", "VIA", "ACTION", "TARGET", "CREDENTIAL"], entries.map(rowOf)),
  );
}

function rowOf({ at, action, target, actor }: AuditItem): string[] {
  const time = at.toISOString().slice(0, 19).replace("T", " ");
  const texts = [actor.user, actor.via, action, target, actor.credential ?? "-"];
  return [time, ...texts.map(printable)];
}

/** Issuers of tokens choose user ids and the ids of tokens, and a terminal obeys control characters. */
function printable(text: string): string {
  return text === "" ? "-" : text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\uFFFD");
}

function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) {
    throw new UsageError(`--limit: ${JSON.stringify(text)} is no number from 1 to 999999.`);
  }
  return Number(text);
}

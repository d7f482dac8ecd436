/** `jobwire keys create|list|revoke`. */
import type { Command } from "commander";
import { z } from "zod";
import { needsToken } from "#server/auth/variables.ts";
import { loadConfig } from "#server/config.ts";
import { ApiKeyRequestSchema } from "#shared/api-key.schema.ts";
import { type ApiKey, stateOf } from "#shared/api-key.ts";
import { checkArguments, parseEnd, splitScopes } from "./arguments.ts";
import { allPages } from "./all-pages.ts";
import type { CommandContext } from "./context.ts";
import { withManagement } from "./reach-data.ts";
import { formatTable, formatTime } from "./table.ts";
import { UsageError } from "./usage-error.ts";

interface CreateOptions {
  tenant?: string;
  user: string;
  scope: string[];
  label?: string;
  expires?: string;
  json?: true;
}

export function addKeysCommand(program: Command, context: CommandContext): void {
  const keys = program.command("keys").description("API keys, with which programs sign in");
  keys
    .command("create")
    .description("makes a key, and prints it: the only time that it can be seen")
    .option("--tenant <tenant>", "the tenant of the key (default: AUTH_DEFAULT_TENANT)")
    .requiredOption("--user <user>", "the user as which it acts: the name of the program")
    .requiredOption("--scope <scope...>", "what it permits: jobs:read, jobs:write, jobs:review …")
    .option("--label <text>", "a note for people")
    .option("--expires <when>", "a duration (90d) or a date (2027-01-31); without it, never")
    .option("--json", "print the key and its record as JSON")
    .action((options: CreateOptions) => create(options, context));
  keys
    .command("list")
    .description("prints the keys, newest first")
    .option("--tenant <tenant>", "only those of this tenant")
    .option("--json", "print their records as JSON, one a line")
    .action((options: { tenant?: string; json?: true }) => list(options, context));
  keys
    .command("revoke <id>")
    .description("ends a key for good")
    .option("--json", "print its record as JSON")
    .action((id: string, options: { json?: true }) => revoke(id, options, context));
}

async function create(options: CreateOptions, { env, stdout, now }: CommandContext): Promise<void> {
  const { user, scope, label, expires, json } = options;
  const config = loadConfig(env);
  const tenant = options.tenant ?? config.AUTH_DEFAULT_TENANT;
  if (tenant === undefined) {
    throw new UsageError("--tenant: name the tenant of the key, or set AUTH_DEFAULT_TENANT.");
  }
  const request = checkArguments(ApiKeyRequestSchema, {
    tenant,
    user,
    scopes: splitScopes(scope),
    label,
    expiresAt: expires === undefined ? null : parseEnd("--expires", expires, now()),
  });
  const { key, record } = await withManagement(config, now, ({ apiKeys }) =>
    apiKeys.create(request),
  );
  if (json) return void stdout.write(`${JSON.stringify({ key, ...record })}\n`);
  stdout.write(`${key}\n`);
  if (stdout.isTTY !== true) return;
  stdout.write(
    `\nThis is the key ${record.id} of ${record.user} at ${record.tenant}. It is shown once: keep it now.\n`,
  );
  if (!needsToken(config)) {
    stdout.write(
      "With these variables the server asks no caller to sign in. Set AUTH_API_KEYS=true.\n",
    );
  }
}

async function list(
  { tenant, json }: { tenant?: string; json?: true },
  { env, stdout, now }: CommandContext,
): Promise<void> {
  const records = await withManagement(loadConfig(env), now, ({ apiKeys }) =>
    allPages((page) => apiKeys.list({ tenant, ...page })),
  );
  if (json) {
    stdout.write(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
    return;
  }
  if (records.length === 0) return void stdout.write("There are no API keys.\n");
  const head = ["ID", "TENANT", "USER", "SCOPES", "STATE", "CREATED", "EXPIRES", "USED", "LABEL"];
  stdout.write(
    formatTable(
      head,
      records.map((record) => rowOf(record, now())),
    ),
  );
}

function rowOf(record: ApiKey, now: Date): string[] {
  const { id, tenant, user, scopes, createdAt, expiresAt, lastUsedAt, label } = record;
  const times = [createdAt, expiresAt, lastUsedAt].map(formatTime);
  return [id, tenant, user, scopes.join(" "), stateOf(record, now), ...times, label];
}

async function revoke(
  given: string,
  { json }: { json?: true },
  { env, stdout, now }: CommandContext,
): Promise<void> {
  const id = z.uuid().safeParse(given);
  if (!id.success) {
    throw new UsageError("A key is revoked by its id, which `jobwire keys list` prints.");
  }
  const record = await withManagement(loadConfig(env), now, ({ apiKeys }) =>
    apiKeys.revoke(id.data),
  );
  const { user, tenant } = record;
  stdout.write(
    json
      ? `${JSON.stringify(record)}\n`
      : `Revoked the key ${record.id} of ${user} at ${tenant}.\n`,
  );
}

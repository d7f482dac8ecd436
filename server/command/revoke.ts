/** `jobwire revoke`: ends a token, or all that a user was issued. */
import type { Command } from "commander";
import { loadConfig } from "#server/config.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import { pluralize } from "#shared/pluralize.ts";
import {
  TokenToRevokeSchema,
  UserToRevokeSchema,
  RevocationRequestSchema,
} from "#shared/revocation.schema.ts";
import type { Revoked, ToRevoke } from "#shared/revocation.ts";
import type { Management } from "#server/auth/management.ts";
import { allPages } from "./all-pages.ts";
import { checkArguments, parseEnd } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { printable } from "./printable.ts";
import { withManagement } from "./reach-data.ts";
import { UsageError } from "./usage-error.ts";

interface RevokeOptions {
  tenant?: string;
  user?: string;
  tokenId?: string;
  expires?: string;
  json?: true;
}

export function addRevokeCommand(program: Command, context: CommandContext): void {
  program
    .command("revoke")
    .description(
      "ends all that a user was issued (tokens, sign-ins and API keys), or one token, with the connections that rely on it",
    )
    .option(
      "--tenant <tenant>",
      "the tenant of the user or the token (default: AUTH_DEFAULT_TENANT)",
    )
    .option("--user <user>", "the user, whose newer tokens will count again")
    .option("--token-id <jti>", "the token, by its claim `jti`")
    .option(
      "--expires <when>",
      "when the token expires: a duration (1h) or a date; without it, within 400 days",
    )
    .option("--json", "print what was ended as JSON")
    .action((options: RevokeOptions) => revoke(options, context));
}

async function revoke(options: RevokeOptions, { env, stdout, now }: CommandContext): Promise<void> {
  const what = checkedWhat(options, now());
  const config = loadConfig(env);
  const given = options.tenant ?? config.AUTH_DEFAULT_TENANT;
  if (given === undefined) {
    throw new UsageError("--tenant: name the tenant, or set AUTH_DEFAULT_TENANT.");
  }
  const { tenant } = checkArguments(RevocationRequestSchema.pick({ tenant: true }), {
    tenant: given,
  });
  const { revoked, schedules } = await withManagement(config, now, async (management) => {
    const done = await management.revocations.revoke(tenant, what, COMMAND_ACTOR);
    const user = "user" in done ? done.user : undefined;
    return {
      revoked: done,
      schedules: user === undefined ? 0 : await goingOn(management, tenant, user),
    };
  });
  const text = `${describe(revoked)}${schedules === 0 ? "" : `\n${remindOf(schedules, tenant, options)}`}`;
  stdout.write(`${options.json ? JSON.stringify(revoked) : text}\n`);
}

/** How many schedules of the user still create jobs. */
async function goingOn(
  { schedules }: Pick<Management, "schedules">,
  tenant: string,
  user: string,
): Promise<number> {
  const all = await allPages((page) => schedules.list({ tenant, owner: user, ...page }));
  // A server of an earlier version lists those of all users.
  return all.filter(
    ({ owner, pausedAt, nextAt }) => owner === user && pausedAt === null && nextAt !== null,
  ).length;
}

function remindOf(count: number, tenant: string, { user = "" }: RevokeOptions): string {
  const what =
    count === 1
      ? "1 schedule of this user still creates"
      : `${count} schedules of this user still create`;
  return `${what} jobs: see \`jobwire schedule list\` with --tenant ${printable(tenant)} --user ${printable(user)}, and pause or delete them.`;
}

function checkedWhat({ user, tokenId, expires }: RevokeOptions, now: Date): ToRevoke {
  if ((user === undefined) === (tokenId === undefined)) {
    throw new UsageError("Name what to revoke: either --user or --token-id.");
  }
  if (user !== undefined) {
    if (expires !== undefined) throw new UsageError("--expires belongs to --token-id.");
    return checkArguments(UserToRevokeSchema, { user });
  }
  const expiresAt = expires === undefined ? null : parseEnd("--expires", expires, now);
  return checkArguments(TokenToRevokeSchema, { tokenId, expiresAt });
}

function describe(revoked: Revoked): string {
  if (!("user" in revoked)) {
    return `Revoked the token ${revoked.tokenId} of ${revoked.tenant}.`;
  }
  const { user, tenant, before, apiKeys, signIns } = revoked;
  return (
    `Revoked ${user} of ${tenant}: all tokens that were issued before ${before.toISOString()}, ` +
    `${pluralize(apiKeys, "API key")} and ${pluralize(signIns, "sign-in")}.`
  );
}

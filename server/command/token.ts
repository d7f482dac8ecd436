/** `jobwire token`: signs an access token with AUTH_JWT_SECRET, to try the server with. */
import type { Command } from "commander";
import { SignJWT } from "jose";
import { v4 as newId } from "uuid";
import { z } from "zod";
import { type Config, loadConfig } from "#server/config.ts";
import { AppError } from "#shared/errors.ts";
import { MAX_SCOPES } from "#shared/limits.ts";
import { PrincipalSchema } from "#shared/principal.schema.ts";
import { isTokenScope } from "#shared/scopes.ts";
import { checkArguments, parseDuration, splitScopes } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./usage-error.ts";

interface TokenOptions {
  sub: string;
  tenant?: string;
  scope: string[];
  ttl: string;
  json?: true;
}

const Claims = z.object({
  sub: PrincipalSchema.shape.userId,
  tenant: PrincipalSchema.shape.tenantId,
  scopes: z
    .array(
      z.string().refine(isTokenScope, {
        error: ({ input }) => `no token grants ${JSON.stringify(input)}`,
      }),
    )
    .max(MAX_SCOPES),
});

export function addTokenCommand(program: Command, context: CommandContext): void {
  program
    .command("token")
    .description("signs an access token with AUTH_JWT_SECRET, and prints it")
    .requiredOption("--sub <user>", "its user")
    .option("--tenant <tenant>", "its tenant (default: AUTH_DEFAULT_TENANT)")
    .requiredOption("--scope <scope...>", "what it permits: jobs:read, jobs:write, jobs:review …")
    .option("--ttl <duration>", "how long it is valid", "1h")
    .option("--json", "print the token and its end as JSON")
    .action((options: TokenOptions) => sign(options, context));
}

async function sign(options: TokenOptions, { env, stdout, now }: CommandContext): Promise<void> {
  const config = loadConfig(env);
  const ttlMs = parseDuration("--ttl", options.ttl);
  const tenant = options.tenant ?? config.AUTH_DEFAULT_TENANT;
  if (tenant === undefined) {
    throw new UsageError("--tenant: name the tenant of the token, or set AUTH_DEFAULT_TENANT.");
  }
  const scopes = splitScopes(options.scope);
  const claims = checkArguments(Claims, { sub: options.sub, tenant, scopes });
  const issuedAt = now();
  const expiresAt = new Date(issuedAt.getTime() + ttlMs);
  const token = await tokenFor(config, claims, { issuedAt, expiresAt });
  stdout.write(options.json ? `${JSON.stringify({ token, expiresAt })}\n` : `${token}\n`);
}

async function tokenFor(
  config: Config,
  { sub, tenant, scopes }: z.infer<typeof Claims>,
  { issuedAt, expiresAt }: { issuedAt: Date; expiresAt: Date },
): Promise<string> {
  const { AUTH_JWT_SECRET: secret, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = config;
  if (secret === undefined) {
    throw new AppError(
      "BAD_REQUEST",
      "AUTH_JWT_SECRET is not set. Set it to the secret of the server, which checks the token with it.",
    );
  }
  const token = new SignJWT({ [config.AUTH_TENANT_CLAIM]: tenant, scope: scopes.join(" ") })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(sub)
    .setJti(newId())
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt);
  if (issuer !== undefined) token.setIssuer(issuer);
  if (audience !== undefined) token.setAudience(audience);
  return token.sign(new TextEncoder().encode(secret));
}

/** Keeps a server from being open to other machines by mistake. */
import { isLoopback } from "#shared/loopback.ts";
import { needsToken } from "./auth/variables.ts";
import { type Config, ConfigError } from "./config.ts";

/**
 * Throws `ConfigError` if other machines can reach the server, and it does not ask who they are. `hasOwnAuthenticate`: an
 * embedding program asks. A worker has no clients.
 */
export function assertNotExposed(config: Config, hasOwnAuthenticate: boolean): void {
  const { HOST: host, ROLE: role, ALLOW_ANONYMOUS: isMeant } = config;
  const isSafe = isMeant || hasOwnAuthenticate || needsToken(config);
  if (isSafe || role === "worker" || isLoopback(host)) return;
  throw new ConfigError([
    `HOST=${JSON.stringify(host)} lets other machines reach this server, and it does not ask who they are. Set AUTH_JWT_SECRET (\`openssl rand -base64 48\` prints one), AUTH_JWKS_URL, OIDC_ISSUER or AUTH_API_KEYS=true, so that callers sign in, or ALLOW_ANONYMOUS=true if every caller may see and change all jobs`,
  ]);
}

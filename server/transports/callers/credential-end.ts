/** How lasting connections end with their credentials (P5, P6, P7). */
import type { Clock } from "#shared/clock.ts";
import { AppError } from "#shared/errors.ts";
import type { Principal } from "#shared/principal.ts";
import type { Caller } from "#server/transports/contract.ts";

/** Milliseconds. */
export interface CredentialLimits {
  /** How long a connection stays open after its credentials have ended, for newer ones or for the client's move to another. */
  graceMs: number;
  /** How long a connection may take to bring credentials that are accepted. */
  identifyMs: number;
}

const EXPIRED_GRACE_MS = 25_000;
const IDENTIFY_TIMEOUT_MS = 10_000;
export const CREDENTIAL_LIMITS: CredentialLimits = {
  graceMs: EXPIRED_GRACE_MS,
  identifyMs: IDENTIFY_TIMEOUT_MS,
};

/** Most that the ends of credentials that end together are spread over, so that their clients do not come back at once. */
const MAX_SPREAD_MS = 10_000;
/** For short lifetimes. */
const SPREAD_SHARE = 0.1;

/** Milliseconds until a connection of these credentials ends; `undefined` if they do not end. */
export function msToEnd(
  { expiresAt }: Pick<Caller, "expiresAt">,
  { now }: Pick<Clock, "now">,
): number | undefined {
  if (expiresAt === undefined) return undefined;
  const left = Math.max(0, expiresAt - now().getTime());
  return left + Math.random() * Math.min(MAX_SPREAD_MS, left * SPREAD_SHARE);
}

/** For clients: relative, because their clocks are often wrong. `null` for credentials that do not end. */
export function msLeft({ expiresAt }: Caller, { now }: Pick<Clock, "now">): number | null {
  return expiresAt === undefined ? null : Math.max(0, expiresAt - now().getTime());
}

/** Throws `FORBIDDEN` if the newer credentials are another user's: its streams are not those of the connection. */
export function assertSameUser(before: Principal, after: Principal): void {
  if (before.userId === after.userId && before.tenantId === after.tenantId) return;
  throw new AppError(
    "FORBIDDEN",
    "This token belongs to another user than the connection. Open a new connection with it.",
  );
}

/** True if the newer credentials lack a scope: the connection may have streams that relied on it. */
export function losesScope(before: Principal, after: Principal): boolean {
  const kept = new Set(after.scopes);
  return before.scopes.some((scope) => !kept.has(scope));
}

export function expiredError(): AppError {
  return new AppError("TOKEN_EXPIRED", "Your credentials have expired. Reconnect with new ones.");
}

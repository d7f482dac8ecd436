/** Reports why credentials were refused. */
import type { Credentials, Identify, SignInCookies } from "#server/transports/contract.ts";
import type { RefusalReason } from "#server/transports/observer.ts";
import { AppError, type ErrorCode } from "#shared/errors.ts";

export function reportRefusals(
  identify: Identify,
  cookies: Pick<SignInCookies, "isSent">,
  onRefused: (reason: RefusalReason) => void,
): Identify {
  return async (credentials) => {
    try {
      return await identify(credentials);
    } catch (error) {
      onRefused(reasonOf(error, hasAny(credentials, cookies)));
      throw error;
    }
  };
}

function hasAny(
  { headers, token, ticket }: Credentials,
  cookies: Pick<SignInCookies, "isSent">,
): boolean {
  const hasToken = token !== undefined && token !== "";
  return (
    hasToken ||
    headers.authorization !== undefined ||
    ticket !== undefined ||
    cookies.isSent(headers)
  );
}

const REASONS: Partial<Record<ErrorCode, RefusalReason>> = {
  TOKEN_EXPIRED: "expired",
  FORBIDDEN: "forbidden",
  RATE_LIMITED: "limited",
};

function reasonOf(error: unknown, hadAny: boolean): RefusalReason {
  const code = error instanceof AppError ? error.code : "INTERNAL";
  if (code === "UNAUTHENTICATED") return hadAny ? "invalid" : "missing";
  return REASONS[code] ?? "unchecked";
}

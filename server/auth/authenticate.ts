/** Authenticates callers by tokens and API keys, for a server whose configuration asks for them. */
import type { IncomingHttpHeaders } from "node:http";
import { AppError } from "#shared/errors.ts";
import type { Authenticated } from "#shared/principal.ts";
import { looksLikeApiKey } from "./api-key.ts";
import { createTokenVerifier, type VerifyToken } from "./token-verifier.ts";
import { acceptsApiKeys, type AuthSettings, needsToken } from "./variables.ts";

/** RFC 6750 (2.1), with the scheme in any case, as in RFC 9110 (11.1). */
const BEARER = /^Bearer +(\S+) *$/i;

/** Credentials as a transport received them. */
export interface Credentials {
  headers: IncomingHttpHeaders;
  /** Clients that cannot set headers send it when they connect. It wins over the header. */
  token?: string | undefined;
}

/** Returns `undefined` if there is no token. Throws `UNAUTHENTICATED` for a header of another scheme. */
export function tokenOf({ headers, token }: Credentials): string | undefined {
  if (token !== undefined && token !== "") return token;
  const { authorization } = headers;
  if (authorization === undefined) return undefined;
  const [, bearer] = BEARER.exec(authorization) ?? [];
  if (bearer !== undefined) return bearer;
  throw new AppError(
    "UNAUTHENTICATED",
    "This server accepts an `Authorization` header of the form `Bearer <token>` only.",
  );
}

/**
 * Returns `undefined` if callers need no token. `tell` logs why a token was refused: its sender learns only that it was.
 * Without `verifyKey` no API key is accepted.
 */
export function createAuthenticate(
  settings: AuthSettings,
  tell: (error: unknown, what: string) => void,
  verifyKey?: VerifyToken,
) {
  if (!needsToken(settings)) return undefined;
  const verifyToken = createTokenVerifier(settings);
  const keys = acceptsApiKeys(settings) ? verifyKey : undefined;
  return async function authenticate(credentials: Credentials): Promise<Authenticated> {
    const token = tokenOf(credentials);
    if (token === undefined) {
      throw new AppError("UNAUTHENTICATED", "Sign in: this server needs a token.");
    }
    const verify = keys !== undefined && looksLikeApiKey(token) ? keys : verifyToken;
    try {
      const { principal, expiresAt } = await verify(token);
      return { ...principal, expiresAt };
    } catch (error) {
      if (error instanceof AppError && error.code === "UNAUTHENTICATED") {
        tell(error.cause, verify === keys ? "An API key was refused" : "A token was refused");
      }
      throw error;
    }
  };
}

/** Authenticates callers by tokens, API keys and sign-ins, for a server whose configuration asks for them. */
import type { IncomingHttpHeaders } from "node:http";
import type { CheckedCaller, CredentialRef } from "#shared/checked-caller.ts";
import { AppError } from "#shared/errors.ts";
import type { SignIn } from "#shared/sign-in.ts";
import { looksLikeApiKey } from "./api-key.ts";
import { keepTokens } from "./kept-tokens.ts";
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

/** The API keys. */
export interface KeyReader {
  verify: VerifyToken;
  /** Rejects if it cannot tell. */
  isValid(keyHash: string): Promise<boolean>;
}

/** The sign-in of a request's cookie. */
export interface CookieReader {
  /** `undefined`: there is no cookie, or it does not count in this request. */
  secretIn(headers: IncomingHttpHeaders): string | undefined;
  /** `undefined`: there is no such sign-in, or it has ended. */
  find(secret: string): Promise<SignIn | undefined>;
}

/**
 * Returns `undefined` if callers need no token. `tell` logs why a token was refused: its sender learns only that it was. A
 * token wins over a cookie. Without `keys` no API key is accepted, and without `cookies` no cookie.
 */
export function createAuthenticate(
  settings: AuthSettings,
  tell: (error: unknown, what: string) => void,
  { keys, cookies }: { keys?: KeyReader; cookies?: CookieReader } = {},
) {
  if (!needsToken(settings)) return undefined;
  const verifyToken = keepTokens(createTokenVerifier(settings));
  const keyReader = acceptsApiKeys(settings) ? keys : undefined;

  /** A sign-in does not outlive the key that it was made with, nor the server's acceptance of keys or of a provider. */
  async function isStillGood({ kind, id, keyHash }: CredentialRef): Promise<boolean> {
    if (kind === "oidc") return id === settings.OIDC_ISSUER;
    if (kind !== "key") return true;
    return keyReader !== undefined && keyHash !== undefined && (await keyReader.isValid(keyHash));
  }

  return async function authenticate(credentials: Credentials): Promise<CheckedCaller> {
    const token = tokenOf(credentials);
    if (token === undefined) return bySignIn(credentials, isStillGood, cookies);
    const isKey = keyReader !== undefined && looksLikeApiKey(token);
    const verify = isKey ? keyReader.verify : verifyToken;
    try {
      const { principal, expiresAt, id = null, keyHash } = await verify(token);
      const credential: CredentialRef = { kind: isKey ? "key" : "token", id };
      if (keyHash !== undefined) credential.keyHash = keyHash;
      return { ...principal, expiresAt, credential };
    } catch (error) {
      if (error instanceof AppError && error.code === "UNAUTHENTICATED") {
        tell(error.cause, isKey ? "An API key was refused" : "A token was refused");
      }
      throw error;
    }
  };
}

async function bySignIn(
  { headers }: Credentials,
  isStillGood: (credential: CredentialRef) => Promise<boolean>,
  cookies?: CookieReader,
): Promise<CheckedCaller> {
  const secret = cookies?.secretIn(headers);
  if (secret === undefined) {
    throw new AppError("UNAUTHENTICATED", "Sign in: this server needs a token.");
  }
  const signIn = await cookies?.find(secret);
  if (signIn === undefined || !(await isStillGood(signIn.credential))) {
    throw new AppError("UNAUTHENTICATED", "Your sign-in has ended. Sign in again.");
  }
  const { id: signInId, principal, credential, endsAt } = signIn;
  // Connections ask again at this time. If the sign-in was used meanwhile, its end is a later one then.
  return { ...principal, expiresAt: endsAt, credential, signInId };
}

/** Authenticates callers by tokens, API keys and sign-ins, for a server whose configuration asks for them. */
import type { IncomingHttpHeaders } from "node:http";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import type { CheckedCaller, CredentialRef } from "#shared/checked-caller.ts";
import { AppError } from "#shared/errors.ts";
import type { SignIn } from "#shared/sign-in.ts";
import { looksLikeApiKey } from "./api-key.ts";
import { issuedTokenOf } from "./issued-token.ts";
import { keepTokens } from "./kept-tokens.ts";
import type { CredentialCheck } from "./credential-check.ts";
import type { RevocationCheck } from "./revocation-check.ts";
import type { VerifyStreamToken } from "./stream-tokens.ts";
import type { Tickets, TicketTarget } from "./tickets.ts";
import { looksLikeStreamToken } from "./token-signer.ts";
import { createTokenVerifier, type VerifyToken } from "./token-verifier.ts";
import { acceptsApiKeys, type AuthSettings, needsToken } from "./variables.ts";

/** RFC 6750 (2.1), with the scheme in any case, as in RFC 9110 (11.1). */
const BEARER = /^Bearer +(\S+) *$/i;

/** Credentials as a transport received them. */
export interface Credentials {
  headers: IncomingHttpHeaders;
  /** Clients that cannot set headers send it when they connect. It wins over the header. */
  token?: string | undefined;
  /** The ticket in the address of one stream. It wins over both. */
  ticket?: { text: string; target: TicketTarget } | undefined;
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

interface Readers {
  /** Absent: no API key is accepted. */
  keys?: KeyReader | undefined;
  /** Absent: no cookie is accepted. */
  cookies?: CookieReader;
  /** Absent: no token is ever revoked. */
  revocations?: Pick<RevocationCheck, "refusal">;
  /** Absent: every credential that something was made with still counts. */
  check?: CredentialCheck;
  /** Absent: no stream token is accepted. */
  verifyStreamToken?: VerifyStreamToken;
  /** Absent: no ticket is accepted. */
  openTicket?: Tickets["open"];
  /** The time that tokens are checked at. Absent: that of the machine. */
  now?: () => Date;
}

type Tell = (error: unknown, what: string) => void;

/**
 * Returns `undefined` if callers need no token. `tell` logs why a token was refused: its sender learns only that it was. A
 * token wins over a cookie.
 */
export function createAuthenticate(settings: AuthSettings, tell: Tell, readers: Readers = {}) {
  const { revocations, verifyStreamToken, openTicket, now = SYSTEM_CLOCK.now } = readers;
  if (!needsToken(settings)) return undefined;
  const verifyToken = keepTokens(createTokenVerifier(settings, now), {
    now: () => now().getTime(),
  });
  const keys = acceptsApiKeys(settings) ? readers.keys : undefined;

  async function byToken(token: string, verify: VerifyToken, kind: "token" | "key") {
    const { principal, expiresAt, id = null, issuedAt, keyHash } = await verify(token);
    const credential: CredentialRef =
      kind === "key" ? { kind, id, keyHash } : { kind, id, issuedAt };
    const issued = issuedTokenOf({ principal, credential });
    const refusal = issued && (await revocations?.refusal(issued));
    if (refusal !== undefined) throw revokedToken(refusal);
    return { ...principal, expiresAt, credential };
  }

  /** Returns the reader of a credential, and its name for the log; `undefined` if there is none but a cookie. */
  function readerOf(credentials: Credentials): [Read, string] | undefined {
    const { ticket } = credentials;
    if (ticket !== undefined && openTicket !== undefined) {
      return [() => openTicket(ticket.text, ticket.target), "A ticket"];
    }
    const token = tokenOf(credentials);
    if (token === undefined) return undefined;
    if (keys !== undefined && looksLikeApiKey(token)) {
      return [() => byToken(token, keys.verify, "key"), "An API key"];
    }
    if (verifyStreamToken !== undefined && looksLikeStreamToken(token)) {
      return [() => verifyStreamToken(token), "A stream token"];
    }
    return [() => byToken(token, verifyToken, "token"), "A token"];
  }

  return async function authenticate(credentials: Credentials): Promise<CheckedCaller> {
    const [read, name] = readerOf(credentials) ?? [];
    if (read === undefined) return bySignIn(credentials, readers, tell);
    try {
      return await read();
    } catch (error) {
      if (error instanceof AppError && error.code === "UNAUTHENTICATED") {
        tell(error.cause, `${name} was refused`);
      }
      throw error;
    }
  };
}

type Read = () => Promise<CheckedCaller>;

/** The same answer as to a token that was never valid. */
function revokedToken(refusal: string): AppError {
  return new AppError("UNAUTHENTICATED", "This token is not valid.", { cause: refused(refusal) });
}

function refused(refusal: string): Error {
  return new Error(`The token was refused: ${refusal}.`);
}

async function bySignIn(
  { headers }: Credentials,
  { cookies, check }: Readers,
  tell: Tell,
): Promise<CheckedCaller> {
  const secret = cookies?.secretIn(headers);
  if (secret === undefined) {
    throw new AppError("UNAUTHENTICATED", "Sign in: this server needs a token.");
  }
  const signIn = await cookies?.find(secret);
  if (signIn === undefined) throw signedOut();
  const { id: signInId, principal, credential, endsAt } = signIn;
  const refusal = await check?.(principal.tenantId, { user: principal.userId, credential });
  if (refusal !== undefined) {
    tell(refused(refusal), "A sign-in was refused");
    throw signedOut();
  }
  // Connections ask again at this time. If the sign-in was used meanwhile, its end is a later one then.
  return { ...principal, expiresAt: endsAt, credential, signInId };
}

function signedOut(): AppError {
  return new AppError("UNAUTHENTICATED", "Your sign-in has ended. Sign in again.");
}

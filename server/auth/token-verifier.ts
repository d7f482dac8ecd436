/**
 * Verifies tokens (JWT). A token of HS256 is checked with the shared secrets, any other with the provider's public keys, so
 * that no public key can pass as a secret.
 */
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from "jose";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import { MAX_SCOPES, MAX_TOKEN_CHARS } from "#shared/limits.ts";
import type { Principal } from "#shared/principal.ts";
import { isTokenScope } from "#shared/scopes.ts";
import { principalOf } from "./claims.ts";
import { headerOf, Refusal, toAppError } from "./token-refusal.ts";
import type { AuthSettings } from "./variables.ts";

/** Every algorithm of JWS with a key pair. */
const ASYMMETRIC = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
/** RFC 8725 (3.11): tokens of another type are meant for something else. */
const TYPES: ReadonlySet<unknown> = new Set([undefined, "jwt", "at+jwt"]);
const CLOCK_TOLERANCE_S = 5;
const JWKS_TIMEOUT_MS = 5000;
/** An unknown key makes the server read the keys again, at most this often: a new key may sign at once. */
const JWKS_COOLDOWN_MS = 1000;
/** After a read that failed. */
const JWKS_FAILED_COOLDOWN_MS = 5000;

/** A valid token, or a valid API key. */
export interface Verified {
  principal: Principal;
  /**
   * When the server stops to accept it, in milliseconds since the epoch: its `exp`, and the tolerance after it. `undefined` for
   * a key that does not expire.
   */
  expiresAt: number | undefined;
  /** Milliseconds since the epoch; 0 if the token does not say. */
  issuedAt: number;
  /** The token's `jti`, or the id of the key. */
  id: string | undefined;
  /** Of a key: the hash by which the engine finds it. */
  keyHash?: string;
}

/**
 * Rejects with an `AppError`: `UNAUTHENTICATED` or `TOKEN_EXPIRED` for a token that is not valid, `UNAVAILABLE` if that cannot
 * be found out. Its `cause` says why, for the log.
 */
export type VerifyToken = (token: string) => Promise<Verified>;

type Key = (token: string, options: JWTVerifyOptions) => Promise<JWTPayload>;

/** `now`: the time that tokens are checked at. */
export function createTokenVerifier(settings: AuthSettings, now = SYSTEM_CLOCK.now): VerifyToken {
  const secrets = [settings.AUTH_JWT_SECRET, settings.AUTH_JWT_PREVIOUS_SECRET]
    .filter((secret) => secret !== undefined)
    .map((secret) => new TextEncoder().encode(secret));
  const { AUTH_JWKS_URL: jwksUrl } = settings;
  const jwks = jwksUrl === undefined ? undefined : publicKeys(jwksUrl);
  const expected: JWTVerifyOptions = {
    clockTolerance: CLOCK_TOLERANCE_S,
    requiredClaims: ["sub", "exp"],
    ...(settings.AUTH_ISSUER !== undefined && { issuer: settings.AUTH_ISSUER }),
    ...(settings.AUTH_AUDIENCE !== undefined && { audience: settings.AUTH_AUDIENCE }),
  };

  const bySecret: Key = async (token, options) => {
    let failure: unknown;
    for (const secret of secrets) {
      try {
        return (await jwtVerify(token, secret, options)).payload;
      } catch (error) {
        failure = error;
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
      }
    }
    throw failure ?? new Refusal("no secret is configured");
  };
  const byPublicKey: Key = async (token, options) => {
    if (jwks === undefined) throw new Refusal("no address of public keys is configured");
    try {
      return (await jwtVerify(token, jwks, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // The token names no key, and several are of its algorithm.
      return claimsByOneOf(error, token, options);
    }
  };

  async function claimsOf(token: string): Promise<JWTPayload> {
    if (token.length > MAX_TOKEN_CHARS) throw new Refusal(`it is longer than ${MAX_TOKEN_CHARS}`);
    const { alg, typ } = headerOf(token);
    const at = { ...expected, currentDate: now() };
    const type: unknown = typeof typ === "string" ? typ.toLowerCase() : typ;
    if (!TYPES.has(type)) throw new Refusal(`its type is ${JSON.stringify(typ)}`);
    return alg === "HS256"
      ? bySecret(token, { ...at, algorithms: ["HS256"] })
      : byPublicKey(token, { ...at, algorithms: ASYMMETRIC });
  }

  return async (token) => {
    try {
      return verified(await claimsOf(token), settings, now());
    } catch (error) {
      throw toAppError(error);
    }
  };
}

async function claimsByOneOf(
  keys: errors.JWKSMultipleMatchingKeys,
  token: string,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  for await (const key of keys) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

function publicKeys(url: string): JWTVerifyGetKey {
  return createRemoteJWKSet(new URL(url), {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    [customFetch]: createCalmFetch(),
  });
}

/** jose's own pause follows a successful read only, so that bad tokens would repeat each one that fails. */
function createCalmFetch(): FetchImplementation {
  let failedAt = -JWKS_FAILED_COOLDOWN_MS;
  return async (url, options) => {
    if (performance.now() - failedAt < JWKS_FAILED_COOLDOWN_MS) {
      throw new Error("The keys could not be read a moment ago.");
    }
    const response = await fetch(url, options).catch((error: unknown) => {
      failedAt = performance.now();
      throw error;
    });
    if (!response.ok) failedAt = performance.now();
    return response;
  };
}

function verified(claims: JWTPayload, settings: AuthSettings, now: Date): Verified {
  const { exp = 0 } = claims;
  const named = principalOf(claims, scopesOf(claims), settings);
  if ("fault" in named) {
    throw new Refusal(`its claim ${JSON.stringify(named.claim)} cannot be used: ${named.fault}`);
  }
  return {
    principal: named.principal,
    // RFC 7519 (2) allows fractions of seconds.
    expiresAt: Math.floor((exp + CLOCK_TOLERANCE_S) * 1000),
    issuedAt: issuedAtOf(claims, now),
    id: idOf(claims),
  };
}

/** A token that says it comes from the future says nothing: otherwise no revocation of its user would end it. */
function issuedAtOf({ iat = 0 }: JWTPayload, now: Date): number {
  const latest = now.getTime() + CLOCK_TOLERANCE_S * 1000;
  const issuedAt = Math.floor(iat * 1000);
  return issuedAt <= latest ? issuedAt : 0;
}

/** RFC 7519 (4.1.7) wants a text; some issuers count. */
function idOf({ jti }: Readonly<Record<string, unknown>>): string | undefined {
  const text = typeof jti === "number" ? String(jti) : jti;
  return typeof text === "string" && text !== "" ? text : undefined;
}

/** RFC 8693 (4.2): a text with spaces between; some issuers send a list. What is unknown grants nothing. */
function scopesOf({ scope }: JWTPayload): string[] {
  const given: unknown[] = typeof scope === "string" ? scope.split(" ") : [scope].flat();
  const known = given.filter((each) => typeof each === "string").filter(isTokenScope);
  return [...new Set(known)].slice(0, MAX_SCOPES);
}

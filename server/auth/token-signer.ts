/**
 * Signs what this server issues itself, and checks it. Each kind has a type of its own in the header (RFC 8725, 3.11), so that
 * no other token passes for it, nor it for another.
 */
import { jwtVerify, type JWTPayload, SignJWT } from "jose";
import { AppError } from "#shared/errors.ts";
import { MAX_TOKEN_CHARS } from "#shared/limits.ts";
import type { SigningKeys } from "./signing-keys.ts";
import { headerOf, Refusal, toAppError } from "./token-refusal.ts";

export const STREAM_TOKEN = "jobwire-stream+jwt";
export const TICKET = "jobwire-ticket+jwt";
type TokenType = typeof STREAM_TOKEN | typeof TICKET;

const ALGORITHM = "HS256";

export interface TokenSigner {
  /** `expiresAt`: in seconds since the epoch. Rejects with `UNAVAILABLE` if there is no key. */
  sign(type: TokenType, claims: JWTPayload, expiresAt: number): Promise<string>;
  /** Rejects as `VerifyToken` does. */
  verify(type: TokenType, token: string): Promise<JWTPayload>;
}

export function createTokenSigner(keys: SigningKeys, now: () => Date): TokenSigner {
  async function claimsOf(type: TokenType, token: string): Promise<JWTPayload> {
    if (token.length > MAX_TOKEN_CHARS) throw new Refusal(`it is longer than ${MAX_TOKEN_CHARS}`);
    const { typ, alg, kid } = headerOf(token);
    // Checked before the key is read.
    if (typ !== type || alg !== ALGORITHM) {
      throw new Refusal(`its type is ${JSON.stringify(typ)}, its algorithm ${JSON.stringify(alg)}`);
    }
    const { secret } = await keys.find(kid);
    const { payload } = await jwtVerify(token, secret, {
      typ: type,
      algorithms: [ALGORITHM],
      requiredClaims: ["sub", "exp", "iat", "jti"],
      currentDate: now(),
    });
    return payload;
  }

  return {
    async sign(type, claims, expiresAt) {
      const { id, secret } = await keys.current();
      return new SignJWT(claims)
        .setProtectedHeader({ alg: ALGORITHM, typ: type, kid: id })
        .setIssuedAt(now())
        .setExpirationTime(expiresAt)
        .sign(secret);
    },
    async verify(type, token) {
      try {
        return await claimsOf(type, token);
      } catch (error) {
        throw error instanceof AppError ? error : toAppError(error);
      }
    },
  };
}

/** True if the token says that it is a stream token. Nothing of it is checked. */
export function looksLikeStreamToken(token: string): boolean {
  try {
    return token.length <= MAX_TOKEN_CHARS && headerOf(token).typ === STREAM_TOKEN;
  } catch {
    return false;
  }
}

/** Why a token was refused: the reason for the log, and the error for its sender, who learns only that it was. */
import { decodeProtectedHeader, errors, type ProtectedHeaderParameters } from "jose";
import { AppError } from "#shared/errors.ts";

/** For the log. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(reason: string) {
    super(`The token was refused: ${reason}.`);
  }
}

/** Throws a `Refusal`. */
export function headerOf(token: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(token);
  } catch (error) {
    throw new Refusal(`it is no JWT (${(error as Error).message})`);
  }
}

/** Errors of jose that say nothing about the token: the keys could not be read. */
const KEYS_UNREADABLE: ReadonlySet<string> = new Set([
  errors.JWKSTimeout.code,
  errors.JWKSInvalid.code,
  errors.JOSEError.code,
]);

export function toAppError(error: unknown): AppError {
  if (error instanceof errors.JWTExpired) {
    return new AppError("TOKEN_EXPIRED", "This token has expired.", { cause: error });
  }
  const isAboutToken =
    error instanceof Refusal ||
    (error instanceof errors.JOSEError && !KEYS_UNREADABLE.has(error.code));
  return isAboutToken
    ? new AppError("UNAUTHENTICATED", "This token is not valid.", { cause: error })
    : new AppError("UNAVAILABLE", "The server could not check your token. Try again.", {
        cause: error,
      });
}

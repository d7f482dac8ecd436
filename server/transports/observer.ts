/** Transports report calls and sign-ins to it. */
import type { ErrorCode } from "#shared/errors.ts";
import type { SignInMethod } from "#shared/sign-in.ts";

/** Where a call was answered with an error. */
export const CALL_TRANSPORTS = ["trpc", "api", "socketio", "auth"] as const;
export type CallTransport = (typeof CALL_TRANSPORTS)[number];

/**
 * `refused`: the credentials or the answer of the provider are no good, or a limit was reached. `failed`: the server or the
 * provider could not do its part.
 */
export const SIGN_IN_OUTCOMES = ["accepted", "refused", "failed"] as const;
export type SignInOutcome = (typeof SIGN_IN_OUTCOMES)[number];

/**
 * Why credentials were refused. `missing`: there were none, so no token, no ticket and no cookie. `invalid`: they are none of
 * this server, or were revoked. `expired`, `forbidden`: as the errors. `limited`: too many bad ones came from the address.
 * `unchecked`: the server could not check them.
 */
export const REFUSAL_REASONS = [
  "missing",
  "invalid",
  "expired",
  "forbidden",
  "limited",
  "unchecked",
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** Never throws. */
export interface TransportObserver {
  /** A call was answered with an error. `procedure`: as the client sent it, which may be any text. */
  callFailed(transport: CallTransport, code: ErrorCode, procedure?: string): void;
  /** The credentials of a request or connection were refused. */
  credentialsRefused(reason: RefusalReason): void;
  /** A sign-in of a browser ended. */
  signedIn(method: SignInMethod, outcome: SignInOutcome): void;
}

const FAILED: ReadonlySet<ErrorCode> = new Set(["UNAVAILABLE", "DATA_UNUSABLE", "INTERNAL"]);

export function signInOutcomeOf(code: ErrorCode): SignInOutcome {
  return FAILED.has(code) ? "failed" : "refused";
}

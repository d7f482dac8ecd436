/** Sign-ins: how a browser stays signed in with a cookie, and what the page learns of it. */
import type { CredentialRef } from "./checked-caller.ts";
import type { ErrorCode } from "./errors.ts";
import type { Principal } from "./principal.ts";

/** As the engine stores it. Times are milliseconds since the epoch. */
export interface SignIn {
  /** The hash of the cookie's secret. */
  id: string;
  principal: Principal;
  /** The credential that the person signed in with. */
  credential: CredentialRef;
  madeAt: number;
  /** Written at most once a minute. */
  usedAt: number;
  /** The end that no use puts off. */
  expiresAt: number;
  /** The end unless it is used again; `expiresAt` at the latest. */
  endsAt: number;
}

/** How people can sign in. `oidc`: at a provider of OpenID Connect. `token`: with a token or an API key. */
export type SignInMethod = "oidc" | "token";

/** The ways to sign in, the preferred one first. */
export interface SignInWays {
  methods: SignInMethod[];
  /** Present if `methods` has `oidc`. */
  provider?:
    | {
        /** For people. */
        name: string;
        /** Where signing in begins: a GET, with `return` (a path to come back to) or `close=1`. */
        url: string;
      }
    | undefined;
}

/** A `BroadcastChannel` of the page's origin. A message says that the person has signed in, in another window. */
export const SIGN_IN_CHANNEL = "jobwire.sign-in";

/** The answer of `GET /auth/me`, and of a successful sign-in. */
export interface SignedIn extends SignInWays {
  user: string;
  tenant: string;
  scopes: string[];
  /** Milliseconds since the epoch. Absent: it does not end. */
  expiresAt?: number | undefined;
  /** True if a cookie identifies the caller, so that signing out has an effect. */
  byCookie: boolean;
}

/** Every other answer below `/auth`. */
export interface SignInRefused extends SignInWays {
  error: {
    code: ErrorCode;
    message: string;
    /** With `RATE_LIMITED`. */
    retryAfterMs?: number | undefined;
  };
}

/** Sign-ins: how a browser stays signed in with a cookie, and what the page learns of it. */
import { z } from "zod";
import { CredentialRef } from "./checked-caller.ts";
import { ErrorCode } from "./errors.ts";
import { Principal } from "./principal.ts";

/** As the engine stores it. Times are milliseconds since the epoch. */
export const SignIn = z.object({
  /** The hash of the cookie's secret. */
  id: z.string(),
  principal: Principal,
  /** The credential that the person signed in with. */
  credential: CredentialRef,
  madeAt: z.number(),
  /** Written at most once a minute. */
  usedAt: z.number(),
  /** The end that no use puts off. */
  expiresAt: z.number(),
  /** The end unless it is used again; `expiresAt` at the latest. */
  endsAt: z.number(),
});
export type SignIn = z.infer<typeof SignIn>;

/** How people can sign in. `oidc`: at a provider of OpenID Connect. `token`: with a token or an API key. */
const SignInMethod = z.enum(["oidc", "token"]);
export type SignInMethod = z.infer<typeof SignInMethod>;

/** The ways to sign in, the preferred one first. */
export const SignInWays = z.object({
  methods: z.array(SignInMethod),
  /** Present if `methods` has `oidc`. */
  provider: z
    .object({
      /** For people. */
      name: z.string(),
      /** Where signing in begins: a GET, with `return` (a path to come back to) or `close=1`. */
      url: z.string(),
    })
    .optional(),
});
export type SignInWays = z.infer<typeof SignInWays>;

/** A `BroadcastChannel` of the page's origin. A message says that the person has signed in, in another window. */
export const SIGN_IN_CHANNEL = "jobwire.sign-in";

/** The answer of `GET /auth/me`, and of a successful sign-in. */
export const SignedIn = SignInWays.extend({
  user: z.string(),
  tenant: z.string(),
  scopes: z.array(z.string()),
  /** Milliseconds since the epoch. Absent: it does not end. */
  expiresAt: z.number().optional(),
  /** True if a cookie identifies the caller, so that signing out has an effect. */
  byCookie: z.boolean(),
});
export type SignedIn = z.infer<typeof SignedIn>;

/** Every other answer below `/auth`. */
export const SignInRefused = SignInWays.extend({
  error: z.object({
    code: ErrorCode,
    message: z.string(),
    /** With `RATE_LIMITED`. */
    retryAfterMs: z.number().optional(),
  }),
});
export type SignInRefused = z.infer<typeof SignInRefused>;

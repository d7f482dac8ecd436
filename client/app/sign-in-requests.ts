/** The requests of signing in and out, and their outcomes in words for people. */
import { type ErrorCode } from "#shared/errors.ts";
import { SignInRefusedSchema, SignedInSchema } from "#shared/sign-in.schema.ts";
import type { SignedIn, SignInWays } from "#shared/sign-in.ts";
import { addressOf } from "./base.ts";

/** `none`: this server has no sign-in. `unreachable`: it gave no answer that can be read. */
export type Answer =
  | { is: "in"; who: SignedIn }
  | { is: "refused"; code: ErrorCode; message: string; ways: SignInWays }
  | { is: "none" }
  | { is: "unreachable" };

export function askWho(): Promise<Answer> {
  return request("/auth/me", {});
}

export function sendToken(token: string): Promise<Answer> {
  return request("/auth/sign-in", post({ token }));
}

/** Resolves to true if the server ended the sign-in. */
export async function sendSignOut(): Promise<boolean> {
  const response = await fetch(addressOf("/auth/sign-out"), post({})).catch(() => undefined);
  return response?.ok === true;
}

const post = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

async function request(path: string, init: RequestInit): Promise<Answer> {
  try {
    const response = await fetch(addressOf(path), { ...init, cache: "no-store" });
    // Without sign-in, the server answers with the page itself. A proxy's page has another status.
    if (!response.headers.get("content-type")?.startsWith("application/json")) {
      return response.ok ? { is: "none" } : { is: "unreachable" };
    }
    const answer: unknown = await response.json();
    if (response.ok) return { is: "in", who: SignedInSchema.parse(answer) };
    const { error, ...ways } = SignInRefusedSchema.parse(answer);
    return { is: "refused", ...error, ways };
  } catch {
    return { is: "unreachable" };
  }
}

const TRY_AGAIN = "The server cannot be reached. Try again.";

/** `undefined` for a success. */
export function signInError(answer: Answer): string | undefined {
  if (answer.is === "in") return undefined;
  if (answer.is !== "refused") return TRY_AGAIN;
  return WORDS[answer.code] ?? answer.message;
}

const WORDS: Partial<Record<ErrorCode, string>> = {
  UNAUTHENTICATED:
    "The server does not accept this. Check that you pasted all of it, or ask for a new one.",
  TOKEN_EXPIRED: "This token has expired. Ask for a new one.",
  UNAVAILABLE: "The server cannot check this at the moment. Try again.",
};

/**
 * Returns where signing in at the provider begins; `undefined` if the person cannot sign in there. `returnTo`: a path of the
 * page, from the base on, or `null` for a window that is to close at the end.
 */
export function providerAddress(ways: SignInWays, returnTo: string | null): string | undefined {
  if (ways.provider === undefined) return undefined;
  const address = new URL(ways.provider.url);
  if (returnTo === null) address.searchParams.set("close", "1");
  else address.searchParams.set("return", returnTo);
  return address.href;
}

export const NO_COOKIE =
  "The server accepted this, but the browser did not keep its cookie. Allow cookies for this site, and sign in again.";

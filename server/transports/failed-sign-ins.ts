/**
 * Limits what refused credentials cost. A caller with valid credentials is never refused because others of its address have sent
 * bad ones: every credential is checked first, which costs one signature or one look-up. Beyond the limit only the refusal
 * changes: it comes after a pause, so that a connection cannot make the server check more than one bad credential in that
 * time, and with `RATE_LIMITED`.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Limits } from "#server/limits/open.ts";
import { AppError } from "#shared/errors.ts";
import type { Credentials, Identify } from "./contract.ts";

const SLOW_REFUSAL_MS = 1000;
/** Refusals that wait at the same time; further ones are answered at once. */
const MAX_SLOW_REFUSALS = 1000;

export function limitFailedSignIns(
  identify: Identify,
  limits: Pick<Limits, "failedSignIn">,
  slowMs = SLOW_REFUSAL_MS,
): Identify {
  let waiting = 0;

  async function pause(): Promise<void> {
    if (waiting >= MAX_SLOW_REFUSALS) return;
    waiting += 1;
    await delay(slowMs);
    waiting -= 1;
  }

  return async (credentials) => {
    try {
      return await identify(credentials);
    } catch (error) {
      const { address } = credentials;
      if (address === undefined || !isBadCredential(error, credentials)) throw error;
      const limited = await limits.failedSignIn(address);
      if (limited === undefined) throw error;
      await pause();
      // A page whose cookie has ended must learn that it has to sign in.
      throw hasToken(credentials) ? limited : error;
    }
  };
}

/** The cookie of a sign-in (`sign-in-cookie.ts`). */
const COOKIE = /(?:^|; *)(?:__Host-)?jobwire=/;

/** A token that has expired was valid, and a request without credentials costs nothing to refuse. */
function isBadCredential(error: unknown, credentials: Credentials): boolean {
  const isRefused = error instanceof AppError && error.code === "UNAUTHENTICATED";
  return isRefused && (hasToken(credentials) || COOKIE.test(credentials.headers.cookie ?? ""));
}

function hasToken({ headers, token }: Credentials): boolean {
  return (token !== undefined && token !== "") || headers.authorization !== undefined;
}

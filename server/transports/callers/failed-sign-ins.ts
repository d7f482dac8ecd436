/**
 * Limits what refused credentials cost. A caller with valid credentials is never refused because others of its address have sent
 * bad ones: every credential is checked first, which costs one signature or one look-up. Beyond the limit only the refusal
 * changes: it comes after a pause, so that a connection cannot make the server check more than one bad credential in that
 * time, and with `RATE_LIMITED`.
 */
import type { Limits } from "#server/limits/open.ts";
import { AppError } from "#shared/errors.ts";
import type { Credentials, Identify, SignInCookies } from "#server/transports/contract.ts";

export function limitFailedSignIns(
  identify: Identify,
  limits: Pick<Limits, "failedSignIn">,
  cookies: Pick<SignInCookies, "isSent">,
): Identify {
  return async (credentials) => {
    try {
      return await identify(credentials);
    } catch (error) {
      const { address, headers } = credentials;
      // A token that has expired was valid, and a request without credentials costs nothing to refuse.
      const isBad = isUnauthenticated(error) && (hasToken(credentials) || cookies.isSent(headers));
      if (address === undefined || !isBad) throw error;
      const limited = await limits.failedSignIn(address);
      if (limited === undefined) throw error;
      // A page whose cookie has ended must learn that it has to sign in.
      throw hasToken(credentials) ? limited : error;
    }
  };
}

function isUnauthenticated(error: unknown): boolean {
  return error instanceof AppError && error.code === "UNAUTHENTICATED";
}

function hasToken({ headers, token }: Credentials): boolean {
  return (token !== undefined && token !== "") || headers.authorization !== undefined;
}

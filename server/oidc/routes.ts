/** The addresses and the time of a sign-in. Servers without a provider need them too, so this module loads no library. */

export const OIDC_START = "/auth/oidc/start";
export const OIDC_CALLBACK = "/auth/oidc/callback";

/** People may have to find a second factor. */
export const MAX_PENDING_MS = 10 * 60_000;

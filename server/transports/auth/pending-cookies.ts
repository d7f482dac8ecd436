/**
 * The cookies of sign-ins that a browser has begun at the provider, one for each tab. Their names have the beginning of the
 * `state`, by which the provider's answer finds its own.
 */
import type { IncomingHttpHeaders } from "node:http";
import { MAX_PENDING_MS } from "#server/oidc/routes.ts";

/** Of one browser. A further one takes the place of the oldest. */
export const MAX_PENDING_SIGN_INS = 4;

/** Enough that two of one browser differ. */
const NAME_CHARS = 8;
const STATE = /^[\w-]{43}$/;

export interface PendingCookies {
  /** Returns values of `Set-Cookie` that keep this sign-in, and delete the ones that are too many. */
  keep(headers: IncomingHttpHeaders, state: string, sealed: string): string[];
  /** Returns the sealed sign-in that may have this state. */
  find(headers: IncomingHttpHeaders, state: string): string | undefined;
  /** Returns a value of `Set-Cookie` that deletes it. */
  drop(state: string): string;
}

/** `publicUrl`: the page's origin. Over plain HTTP, on this machine, browsers keep no cookie with the prefix `__Host-`. */
export function createPendingCookies(publicUrl: string): PendingCookies {
  const isSecure = publicUrl.startsWith("https:");
  const prefix = `${isSecure ? "__Host-" : ""}jobwire-oidc-`;
  // The provider's answer is a link from another site, with which browsers send cookies that are `Lax`.
  const attributes = `; Path=/; HttpOnly; SameSite=Lax${isSecure ? "; Secure" : ""}`;
  const nameOf = (state: string) => prefix + state.slice(0, NAME_CHARS);
  const dropped = (name: string) => `${name}=; Max-Age=0${attributes}`;

  function pairs({ cookie = "" }: IncomingHttpHeaders): [name: string, value: string][] {
    return cookie
      .split(";")
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(prefix) && pair.includes("="))
      .map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]);
  }

  return {
    keep(headers, state, sealed) {
      // RFC 6265 (5.4): browsers send the oldest first.
      const present = pairs(headers).map(([name]) => name);
      const tooMany = present.slice(0, Math.max(0, present.length + 1 - MAX_PENDING_SIGN_INS));
      const maxAge = Math.floor(MAX_PENDING_MS / 1000);
      return [
        ...tooMany.map(dropped),
        `${nameOf(state)}=${sealed}; Max-Age=${maxAge}${attributes}`,
      ];
    },
    find(headers, state) {
      if (!STATE.test(state)) return undefined;
      return pairs(headers).find(([name]) => name === nameOf(state))?.[1];
    },
    drop: (state) => dropped(nameOf(state)),
  };
}

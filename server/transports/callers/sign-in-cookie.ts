/**
 * The cookie of a sign-in, and the requests in which it counts. A browser sends a cookie with every request to this server,
 * whichever page caused it, so a cookie counts only if the request says that its page is ours or is listed by name:
 *
 * - with `Origin`: our own origin, or exactly one that the operator listed; never by a wildcard, never `null`;
 * - without `Origin`, as browsers send GET requests of our own page: only with `Sec-Fetch-Site: same-origin`.
 *
 * The name of the cookie follows the page's scheme. `__Host-` makes browsers refuse a cookie that another host, or a page over
 * plain HTTP, tries to set. Over plain HTTP there is no cookie but on this machine. Below a path the name has the path, too:
 * cookies with `__Host-` have no path, and two servers at two paths of one host would sign each other's people out.
 */
import type { IncomingHttpHeaders } from "node:http";
import { isLoopback } from "#shared/loopback.ts";
import type { SignInCookie, SignInCookies } from "#server/transports/contract.ts";
import { isOriginOf } from "#server/transports/requests/origins.ts";

const PREFIX = "__Host-";
const NAME = "jobwire";

export type SameSite = "lax" | "none";

/**
 * `isExact`: the operator listed exactly this origin (`OriginPolicy`). With `none`, browsers also send the cookie from pages
 * of other sites; the requests in which it counts are the same. `basePath`: where the page is, `/jobs` or "".
 */
export function createSignInCookies(
  isExact: (origin: string) => boolean,
  sameSite: SameSite = "lax",
  basePath = "",
): SignInCookies {
  // A base path has no `+`, so two paths never have the same name.
  const plain = NAME + basePath.replaceAll("/", "+");
  const secure = PREFIX + plain;

  function nameFor({ origin, host }: IncomingHttpHeaders): string | undefined {
    if (origin === undefined || !(isOriginOf(origin, host) || isExact(origin))) return undefined;
    const url = URL.parse(origin);
    if (url?.protocol === "https:") return secure;
    return url?.protocol === "http:" && isLocal(url.host) && isLocal(host) ? plain : undefined;
  }

  function namesIn(headers: IncomingHttpHeaders): readonly string[] {
    if (headers.origin !== undefined) {
      const name = nameFor(headers);
      return name === undefined ? [] : [name];
    }
    if (headers["sec-fetch-site"] !== "same-origin") return [];
    return isLocal(headers.host) ? [secure, plain] : [secure];
  }

  return {
    isSent: ({ cookie = "" }) =>
      [secure, plain].some((name) => valueOf(cookie, name) !== undefined),
    secretIn(headers) {
      const { cookie } = headers;
      if (cookie === undefined) return undefined;
      for (const name of namesIn(headers)) {
        const value = valueOf(cookie, name);
        if (value !== undefined) return value;
      }
      return undefined;
    },
    cookieFor(headers) {
      const name = nameFor(headers);
      return name === undefined ? undefined : cookieOf(name, sameSite);
    },
  };
}

function cookieOf(name: string, sameSite: SameSite): SignInCookie {
  const lax = `SameSite=Lax${name.startsWith(PREFIX) ? "; Secure" : ""}`;
  // Browsers take `None` with `Secure` only, which they accept from this machine over plain HTTP, too. `Partitioned`: a
  // sign-in in one site's pages is none in those of another.
  const site = sameSite === "none" ? "SameSite=None; Secure; Partitioned" : lax;
  const attributes = `; Path=/; HttpOnly; ${site}`;
  return {
    set: (secret, maxAgeMs) =>
      `${name}=${secret}; Max-Age=${Math.max(0, Math.floor(maxAgeMs / 1000))}${attributes}`,
    clear: () => `${name}=; Max-Age=0${attributes}`,
  };
}

/** https://www.rfc-editor.org/rfc/rfc6265#section-4.2.1 */
function valueOf(cookies: string, name: string): string | undefined {
  const prefix = `${name}=`;
  const pairs = cookies.split(";").map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(prefix))?.slice(prefix.length);
}

/** `host` may have a port, and brackets. */
function isLocal(host: string | undefined): boolean {
  const { hostname = "" } = URL.parse(`http://${host}`) ?? {};
  return isLoopback(hostname.replace(/^\[(.*)\]$/, "$1"));
}

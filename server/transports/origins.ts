/**
 * Decides which pages may use this server from a browser. Without authentication, any page that a person opens could talk to a
 * server that their machine reaches. So three things are checked, for requests and for upgrades alike:
 *
 * - `Origin`: a foreign one is refused. Programs send none.
 * - `Sec-Fetch-Site`: browsers send no `Origin` where a page embeds or opens an address (`<img>`, `<script>`, a link),
 *   but they tell of the page in this header, which no page can set.
 * - `Host`: see `hosts.ts`.
 */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { Access } from "./contract.ts";
import { isLoopback, localHosts, publicHosts } from "./hosts.ts";

/** `none`: a program asks, our own page, or a page that may embed this path. `same`: our own page. `allowed`: a listed one. */
type Welcome = "none" | "same" | "allowed";
/** `foreign`: any other page. `embedded`: a page that sent no `Origin`. `misnamed`: the request means another host. */
type Refused = "foreign" | "embedded" | "misnamed";

/** Without a host, an origin is shared by pages that have nothing to do with each other. */
const HAS_HOST = /^[^:]+:\/\/./;

export interface OriginPolicy {
  of(req: IncomingMessage, access: Access): Welcome | Refused;
  /**
   * The operator named this very origin, so its pages may send cookies. A wildcard may cover pages of others, `null` is
   * the origin of any sandboxed frame, and `file://` that of any file.
   */
  isExact(origin: string): boolean;
}

export function createOriginPolicy(options: {
  /** As browsers write them; with a wildcard for one or more labels (`https://*.example.com`), of any scheme, or `null`. */
  origins: readonly string[];
  /** The address the server listens on. */
  host: string;
  /** More names of this server: `jobs.example.com`, `jobs.example.com:8000`, `*.example.com`. */
  allowedHosts: readonly string[];
  /**
   * `true`: requests are authenticated. Then a page under a rebound name can read nothing, as it has no credentials, and
   * a server that others reach answers to every name.
   */
  authenticated: boolean;
}): OriginPolicy {
  const patterns = options.origins.map(patternOf);
  const exact = options.origins.filter((origin) => HAS_HOST.test(origin) && !origin.includes("*"));
  const exactPatterns = exact.map(patternOf);
  const isListed = (origin: string) => patterns.some((pattern) => pattern.test(origin));
  const local = isLoopback(options.host);
  // The operator who gives HOST a name means that name.
  const own = isIP(options.host) === 0 ? [options.host] : [];
  const allowed = [...options.allowedHosts, ...own];
  const isKnown = local ? localHosts(allowed) : publicHosts(allowed);

  /** A proxy passes the host of a listed origin on. Some add the port that is the scheme's own. */
  const isHostOfListed = (host: string) =>
    isListed(`http://${host.replace(/:80$/, "")}`) ||
    isListed(`https://${host.replace(/:443$/, "")}`);

  function isMisnamed(host: string | undefined, access: Access): boolean {
    if (!local && (options.authenticated || access === "public")) return false;
    return !isKnown(host) && !(host !== undefined && isHostOfListed(host));
  }

  return {
    of({ headers: { origin, host, "sec-fetch-site": site } }, access) {
      if (origin !== undefined && isListed(origin)) return "allowed";
      if (isMisnamed(host, access)) return "misnamed";
      if (origin !== undefined) return isOriginOf(origin, host) ? "same" : "foreign";
      return access === "data" && !isOwnOrNoPage(site) ? "embedded" : "none";
    },
    isExact: (origin) => exactPatterns.some((pattern) => pattern.test(origin)),
  };
}

export function isRefused(origin: Welcome | Refused): origin is Refused {
  return origin in WHY;
}

/** For the caller: why the request was refused, and what to do about it. */
export function whyRefused(refused: Refused, { headers }: IncomingMessage): string {
  return WHY[refused](headers);
}

const WHY: Record<Refused, (headers: IncomingMessage["headers"]) => string> = {
  foreign: ({ origin }) =>
    `The origin ${origin} may not use this server. Its operator can list it in CORS_ORIGINS.`,
  embedded: ({ "sec-fetch-site": site }) =>
    `A page of another site embeds or opens this address (Sec-Fetch-Site: ${JSON.stringify(site)}), and it holds data. ` +
    "Ask for it with fetch() in CORS mode, from an origin that CORS_ORIGINS lists.",
  misnamed: ({ host }) =>
    host === undefined
      ? "This request has no Host header. Send one that names this server."
      : `Host ${JSON.stringify(host)} is not allowed. Add it to ALLOWED_HOSTS.`,
};

function isOriginOf(origin: string, host: string | undefined): boolean {
  const url = URL.parse(origin);
  return url !== null && url.host !== "" && url.host === host?.toLowerCase();
}

/** `none` stands for an address that a person typed. Anything but the exact words is no word of a browser. */
function isOwnOrNoPage(site: string | string[] | undefined): boolean {
  return site === undefined || site === "same-origin" || site === "none";
}

function patternOf(origin: string): RegExp {
  const labels = String.raw`[a-z0-9_-]+(?:\.[a-z0-9_-]+)*`;
  return new RegExp(`^${RegExp.escape(origin).replace(String.raw`\*`, labels)}$`, "i");
}

/**
 * Decides which pages may use this server from a browser. Without authentication, any page that a person opens could use a
 * server that their machine reaches. So this module checks three headers, for requests and for upgrades:
 *
 * - `Origin`: the server refuses foreign origins. Programs send no `Origin`.
 * - `Sec-Fetch-Site`: browsers send no `Origin` when a page embeds or opens an address (`<img>`, `<script>`, a link), but
 *   they describe the page in this header, which pages cannot set.
 * - `Host`: see `hosts.ts`.
 */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { isLoopback } from "#shared/loopback.ts";
import type { Access } from "#server/transports/contract.ts";
import { localHosts, publicHosts } from "./hosts.ts";

/** `none`: a program, our own page, or a page that may embed this path. `same`: our own page. `allowed`: a listed page. */
type Welcome = "none" | "same" | "allowed";
/** `foreign`: any other page. `embedded`: a page that sent no `Origin`. `misnamed`: `Host` names another server. */
type Refused = "foreign" | "embedded" | "misnamed";

/** Unrelated pages share an origin that has no host, such as `file://`. */
const HAS_HOST = /^[^:]+:\/\/./;

export interface OriginPolicy {
  of(req: IncomingMessage, access: Access): Welcome | Refused;
  /**
   * True if the operator listed exactly this origin, so that its pages may send cookies. A wildcard may cover pages of
   * other parties, `null` is the origin of any sandboxed frame, and `file://` is the origin of any file.
   */
  isExact(origin: string): boolean;
}

export function createOriginPolicy(options: {
  /** In the form that browsers send, of any scheme, or `null`. `*` stands for one or more labels: `https://*.example.com`. */
  origins: readonly string[];
  /** The address the server listens on. */
  host: string;
  /** More names of this server: `jobs.example.com`, `jobs.example.com:8000`, `*.example.com`. */
  allowedHosts: readonly string[];
  /**
   * `true`: requests are authenticated. A page under a rebound name then has no credentials and can read nothing, so a
   * server that other machines reach answers to every name.
   */
  authenticated: boolean;
  /**
   * `true`: the server itself speaks TLS. Its own pages then have an origin of https: one of http under the same name may
   * come from another machine. Without TLS the scheme is unknown, as a proxy may speak TLS.
   */
  secure?: boolean;
}): OriginPolicy {
  const patterns = options.origins.map(patternOf);
  const exact = options.origins.filter((origin) => HAS_HOST.test(origin) && !origin.includes("*"));
  const exactPatterns = exact.map(patternOf);
  const isListed = (origin: string) => patterns.some((pattern) => pattern.test(origin));
  const local = isLoopback(options.host);
  // If HOST is a name, the server answers to that name.
  const own = isIP(options.host) === 0 ? [options.host] : [];
  const allowed = [...options.allowedHosts, ...own];
  const isKnown = local ? localHosts(allowed) : publicHosts(allowed);

  /** Proxies forward the host of a listed origin. Some of them add the default port of its scheme. */
  const isHostOfListed = (host: string) =>
    isListed(`http://${host.replace(/:80$/, "")}`) ||
    isListed(`https://${host.replace(/:443$/, "")}`);

  function isMisnamed(host: string | undefined, access: Access): boolean {
    if (!local && (options.authenticated || access === "public")) return false;
    return !isKnown(host) && !(host !== undefined && isHostOfListed(host));
  }

  return {
    of(req, access) {
      const { origin, host, "sec-fetch-site": site, "user-agent": agent } = req.headers;
      if (origin !== undefined && isListed(origin)) return "allowed";
      if (isMisnamed(host, access)) return "misnamed";
      if (origin !== undefined) {
        // websocket-client, below python-socketio, sends an origin of http over TLS too. It sends no `User-Agent`, which
        // browsers always send and pages cannot remove.
        const needsHttps = options.secure === true && agent !== undefined;
        return isOriginOf(origin, host, needsHttps) ? "same" : "foreign";
      }
      if (access === "page" || access === "public" || isOwnOrNoPage(site)) return "none";
      return access === "link" && isOpenedInWindow(req) ? "none" : "embedded";
    },
    isExact: (origin) => exactPatterns.some((pattern) => pattern.test(origin)),
  };
}

export function isRefused(origin: Welcome | Refused): origin is Refused {
  return origin in WHY;
}

/** Returns a message for the client: the reason for the refusal, and the remedy. */
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

/** Behind a proxy with TLS the server does not know its scheme, so only the hosts are compared unless `needsHttps`. */
export function isOriginOf(origin: string, host: string | undefined, needsHttps = false): boolean {
  const url = URL.parse(origin);
  if (url === null || url.host === "" || (needsHttps && url.protocol !== "https:")) return false;
  return url.host === host?.toLowerCase();
}

/** `none`: a person typed the address. Browsers send exactly these words; any other value counts as foreign. */
function isOwnOrNoPage(site: string | string[] | undefined): boolean {
  return site === undefined || site === "same-origin" || site === "none";
}

/** A page sends the person here with a link or a redirect. It cannot read the answer, and no frame shows it. */
function isOpenedInWindow({ method, headers }: IncomingMessage): boolean {
  return (
    method === "GET" &&
    headers["sec-fetch-mode"] === "navigate" &&
    headers["sec-fetch-dest"] === "document"
  );
}

function patternOf(origin: string): RegExp {
  const labels = String.raw`[a-z0-9_-]+(?:\.[a-z0-9_-]+)*`;
  return new RegExp(`^${RegExp.escape(origin).replace(String.raw`\*`, labels)}$`, "i");
}

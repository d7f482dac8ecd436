/**
 * Which pages may use this server from a browser. Without sign-in, any page that a person opens could talk to a
 * server on their machine; so a foreign `Origin` is refused for requests and for sockets alike. Programs send none.
 *
 * Nor do pages for what seems their own server. A foreign page seems that when its name is made to point to this
 * machine (DNS rebinding). So a server for this machine alone answers only to the names it is known to have.
 */
import type { IncomingMessage } from "node:http";

/** `none`: no browser asks, or our own page does. `same`: our own page. `allowed`: a listed one. */
type Welcome = "none" | "same" | "allowed";
/** `foreign`: any other page. `misnamed`: whoever asks takes this server for another. */
type Refused = "foreign" | "misnamed";

export interface OriginPolicy {
  of(req: IncomingMessage): Welcome | Refused;
}

export function createOriginPolicy(options: {
  /** Exact, or with a wildcard for one or more labels: `https://*.example.com`. */
  origins: readonly string[];
  /** The address the server listens on. */
  host: string;
}): OriginPolicy {
  const patterns = options.origins.map(patternOf);
  const isListed = (origin: string) => patterns.some((pattern) => pattern.test(origin));
  const local = isLoopback(options.host);

  /** Also the host of a listed origin: a proxy on this machine passes it on. */
  function isOurName(host: string): boolean {
    const { hostname } = URL.parse(`http://${host}`) ?? { hostname: "" };
    return isLoopback(hostname) || isListed(`http://${host}`) || isListed(`https://${host}`);
  }

  return {
    of({ headers: { origin, host } }) {
      if (origin !== undefined && isListed(origin)) return "allowed";
      if (local && host !== undefined && !isOurName(host)) return "misnamed";
      if (origin === undefined) return "none";
      return URL.parse(origin)?.host === host?.toLowerCase() ? "same" : "foreign";
    },
  };
}

function patternOf(origin: string): RegExp {
  // Browsers leave out the port that is the scheme's own.
  const plain = origin.replace(/^(http:.*):80$|^(https:.*):443$/i, "$1$2");
  const escaped = plain.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replace(String.raw`\*`, "[a-z0-9-]+(?:\\.[a-z0-9-]+)*")}$`, "i");
}

function isLoopback(host: string): boolean {
  return /^(?:(?:[a-z0-9-]+\.)*localhost|\[?::1\]?|127(?:\.\d+){3})$/i.test(host);
}

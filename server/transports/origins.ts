/**
 * Which pages may use this server from a browser. Without sign-in, any page that a person opens could talk to a
 * server on their machine; so a foreign `Origin` is refused for requests and for sockets alike. Programs send none.
 */
import type { IncomingMessage } from "node:http";

export interface OriginPolicy {
  /** `none`: no browser asks. `same`: our own page. `allowed`: a listed one. `foreign`: any other. */
  of(req: IncomingMessage): "none" | "same" | "allowed" | "foreign";
}

export function createOriginPolicy(options: {
  /** Exact, or with a wildcard for one or more labels: `https://*.example.com`. */
  origins: readonly string[];
  /** The address the server listens on. */
  host: string;
}): OriginPolicy {
  const patterns = options.origins.map(patternOf);
  // A name of somebody else's that points to this machine (DNS rebinding) makes a foreign page look like our own.
  const local = isLoopback(options.host);

  return {
    of({ headers }) {
      const { origin, host = "" } = headers;
      if (origin === undefined) return "none";
      if (patterns.some((pattern) => pattern.test(origin))) return "allowed";
      const url = URL.parse(origin);
      if (url === null || url.host !== host.toLowerCase()) return "foreign";
      return !local || isLoopback(url.hostname) ? "same" : "foreign";
    },
  };
}

function patternOf(origin: string): RegExp {
  const escaped = origin.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replace(String.raw`\*`, "[a-z0-9-]+(?:\\.[a-z0-9-]+)*")}$`, "i");
}

function isLoopback(host: string): boolean {
  return (
    host === "localhost" || host === "[::1]" || host === "::1" || /^127(?:\.\d+){3}$/.test(host)
  );
}

/**
 * The host names that this server answers to. DNS rebinding makes the name of a foreign page resolve to this server, so that
 * the browser treats the page as one of this server; then only the `Host` header reveals the page. An attacker cannot
 * rebind an IP literal or a name below `localhost`.
 */
import { isIPv4, isIPv6 } from "node:net";
import { isLoopback } from "#shared/loopback.ts";

/**
 * Hosts as browsers send them. It excludes other forms that lenient parsers accept: a user, an IPv4 address as one number, a
 * dot at the end.
 */
const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_-]+(?:\.[a-z0-9_-]+)*))(?::\d{1,5})?$/i;
const OWN_PORT = /^:(?:80|443)$/;
const LABELS = String.raw`[a-z0-9_-]+(?:\.[a-z0-9_-]+)*`;

/** Returns true if a `Host` header (`jobs.example.com:8000`) names this server. */
export type HostCheck = (host: string | undefined) => boolean;

/** For a server that only this machine reaches. It also answers requests without `Host`, which no browser sends. */
export function localHosts(allowed: readonly string[]): HostCheck {
  const isAllowed = anyOf(allowed);
  return (host) => host === undefined || isNamed(host, isLoopback) || isAllowed(host);
}

export function publicHosts(allowed: readonly string[]): HostCheck {
  const isAllowed = anyOf(allowed);
  return (host) => host !== undefined && (isNamed(host, isFixed) || isAllowed(host));
}

/** True for names that an attacker cannot rebind. */
function isFixed(name: string): boolean {
  return isIPv4(name) || isIPv6(name) || isLoopback(name);
}

function isNamed(host: string, test: (name: string) => boolean): boolean {
  const [, address, name] = HOST.exec(host) ?? [];
  if (address !== undefined) return isIPv6(address) && test(address);
  return name !== undefined && test(name);
}

/** An entry without a port allows every port. Clients omit the default port of their scheme. */
function anyOf(allowed: readonly string[]): (host: string) => boolean {
  const patterns = allowed.map((entry) => {
    const [, name = "", port] = /^(.*?)(:\d+)?$/.exec(entry) ?? [];
    const ports =
      port === undefined ? String.raw`(?::\d{1,5})?` : OWN_PORT.test(port) ? `(?:${port})?` : port;
    return new RegExp(`^${RegExp.escape(name).replace(String.raw`\*`, LABELS)}${ports}$`, "i");
  });
  return (host) => patterns.some((pattern) => pattern.test(host));
}

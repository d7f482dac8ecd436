/**
 * The host names that this server answers to. A foreign page becomes a page of this server in the eyes of a browser when
 * its name is made to resolve to this server (DNS rebinding); then the `Host` header alone tells the two apart. An
 * attacker cannot have an IP literal or a name below `localhost` resolve to another address.
 */
import { isIPv4, isIPv6 } from "node:net";

/**
 * Hosts as browsers send them, and nothing that a lenient parser would make an address of: no user, no numbers for an IPv4
 * address, no dot at the end.
 */
const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_-]+(?:\.[a-z0-9_-]+)*))(?::\d{1,5})?$/i;
const LOCALHOST = /^(?:[a-z0-9_-]+\.)*localhost$/i;
const OWN_PORT = /^:(?:80|443)$/;
const LABELS = String.raw`[a-z0-9_-]+(?:\.[a-z0-9_-]+)*`;

/** Tells a `Host` header (`jobs.example.com:8000`) that names this server. */
export type HostCheck = (host: string | undefined) => boolean;

/** For a server that only this machine reaches: also a request without a `Host`, which no browser sends, is answered. */
export function localHosts(allowed: readonly string[]): HostCheck {
  const isAllowed = anyOf(allowed);
  return (host) => host === undefined || isNamed(host, isLoopback) || isAllowed(host);
}

export function publicHosts(allowed: readonly string[]): HostCheck {
  const isAllowed = anyOf(allowed);
  return (host) => host !== undefined && (isNamed(host, isFixed) || isAllowed(host));
}

/** A name that no attacker can have resolve to another address. */
function isFixed(name: string): boolean {
  return isIPv4(name) || isIPv6(name) || LOCALHOST.test(name);
}

/** `name`: a host name or an address, without brackets or a port. */
export function isLoopback(name: string): boolean {
  return LOCALHOST.test(name) || name === "::1" || (isIPv4(name) && name.startsWith("127."));
}

function isNamed(host: string, test: (name: string) => boolean): boolean {
  const [, address, name] = HOST.exec(host) ?? [];
  if (address !== undefined) return isIPv6(address) && test(address);
  return name !== undefined && test(name);
}

/** An entry without a port stands for every port. Clients leave out the port that is their scheme's own. */
function anyOf(allowed: readonly string[]): (host: string) => boolean {
  const patterns = allowed.map((entry) => {
    const [, name = "", port] = /^(.*?)(:\d+)?$/.exec(entry) ?? [];
    const ports =
      port === undefined ? String.raw`(?::\d{1,5})?` : OWN_PORT.test(port) ? `(?:${port})?` : port;
    return new RegExp(`^${RegExp.escape(name).replace(String.raw`\*`, LABELS)}${ports}$`, "i");
  });
  return (host) => patterns.some((pattern) => pattern.test(host));
}

/** Names of this machine, which no other machine can answer to. */
const LOCALHOST = /^(?:[a-z0-9_-]+\.)*localhost$/i;
const LOOPBACK_IPV4 = /^127(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

/** `name`: a host name or an address, without brackets or a port. */
export function isLoopback(name: string): boolean {
  return LOCALHOST.test(name) || name === "::1" || LOOPBACK_IPV4.test(name);
}

/** True for an address of https, or of http on this machine: what travels there is read by no other machine. */
export function isPrivateWay({
  protocol,
  hostname,
}: {
  protocol: string;
  hostname: string;
}): boolean {
  if (protocol === "https:") return true;
  return protocol === "http:" && isLoopback(hostname.replace(/^\[(.*)\]$/, "$1"));
}

/**
 * The address that a request counts for. It is the peer's own, unless the peer is a trusted proxy: then it is the nearest one
 * in `X-Forwarded-For` that is no trusted proxy. Everything before that was written by a stranger.
 */
import { isIP, isIPv4 } from "node:net";
import type { IncomingHttpHeaders } from "node:http";
import { isTrusted, type TrustedProxies } from "./trusted-proxies.ts";

/** The parts of a request that have its addresses. */
export interface Addressed {
  headers: IncomingHttpHeaders;
  socket: { remoteAddress?: string | undefined };
}

/** Counts for all peers without an address: those that have left. */
const UNKNOWN = "unknown";

export interface ClientAddress {
  /** For logs: `2001:db8::7`. */
  of(request: Addressed): string;
  /** For counting: an IPv4 address, or the first 64 bits of an IPv6 address, which one customer has. */
  keyOf(request: Addressed): string;
  /** Looks at a request whose peer may be a proxy that is missing in TRUST_PROXY. */
  notice(request: Addressed): void;
  /** True if this peer sends the requests of others, so that its connection counts for none of them. */
  isProxy(socket: Addressed["socket"]): boolean;
}

/** Strangers too may send the header: more peers are not told. */
const MAX_TOLD_PEERS = 4;

/** `onUnlisted`: a peer that is not trusted sent `X-Forwarded-For`. Called once for each of the first few. */
export function createClientAddress(
  trusted: TrustedProxies,
  onUnlisted: (peer: string) => void = () => undefined,
): ClientAddress {
  /** The keys of peers that are no proxies: `undefined` stands for a proxy. Every request asks. */
  const keys = new WeakMap<object, { key: string | undefined }>();

  function peerKey(socket: Addressed["socket"]): string | undefined {
    const known = keys.get(socket);
    if (known !== undefined) return known.key;
    const address = plain(socket.remoteAddress ?? "");
    const isProxy = address !== undefined && isTrusted(trusted, address, 0);
    const key = isProxy ? undefined : networkOf(address ?? UNKNOWN);
    keys.set(socket, { key });
    return key;
  }

  function of({ headers, socket }: Addressed): string {
    let nearest = plain(socket.remoteAddress ?? "");
    if (nearest === undefined) return UNKNOWN;
    // Node joins several headers of this name.
    let rest = String(headers["x-forwarded-for"] ?? "");
    for (let hop = 0; rest !== "" && isTrusted(trusted, nearest, hop); hop += 1) {
      const comma = rest.lastIndexOf(",");
      const next = plain(rest.slice(comma + 1));
      if (next === undefined) break;
      nearest = next;
      rest = rest.slice(0, Math.max(comma, 0));
    }
    return nearest;
  }

  const told = new Set<string>();

  function notice(request: Addressed): void {
    if (request.headers["x-forwarded-for"] === undefined || told.size >= MAX_TOLD_PEERS) return;
    const key = peerKey(request.socket);
    if (key === undefined || told.has(key)) return;
    told.add(key);
    onUnlisted(of(request));
  }

  return {
    of,
    notice,
    keyOf: (request) => peerKey(request.socket) ?? networkOf(of(request)),
    isProxy: (socket) => peerKey(socket) === undefined,
  };
}

const V4_IN_V6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/** Some proxies add the port: `203.0.113.7:4711`, `[2001:db8::7]:4711`. */
const WITH_PORT = /^(?:\[([^\]]+)\](?::\d{1,5})?|(\d+\.\d+\.\d+\.\d+):\d{1,5})$/;

/** Returns the address without brackets, port and zone, and an IPv4 address as such; `undefined` for anything else. */
function plain(text: string): string | undefined {
  const trimmed = text.trim();
  const [, v6, v4] = WITH_PORT.exec(trimmed) ?? [];
  const [address = ""] = (v6 ?? v4 ?? trimmed).split("%", 1);
  const short = V4_IN_V6.exec(address)?.[1] ?? address;
  return isIP(short) === 0 ? undefined : short;
}

function networkOf(address: string): string {
  if (address === UNKNOWN || isIPv4(address)) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const before = groupsOf(head);
  const after = groupsOf(tail ?? "");
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array.from({ length: missing }, () => "0"), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}

/** An IPv4 address at the end stands for two groups. */
function groupsOf(part: string): string[] {
  if (part === "") return [];
  return part.split(":").flatMap((group) => (group.includes(".") ? ["0", "0"] : [group]));
}

/**
 * Refuses connections to addresses that are not on the public internet.
 * The connector checks the very address that it connects to, so a name that resolves differently a moment later
 * (DNS rebinding) gains nothing. Literal addresses take the same path.
 */
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { buildConnector } from "undici";
import { PrivateAddressError } from "./private-address-error.ts";
import type { Resolve } from "./resolve.ts";

/** IANA assigns unicast addresses in this block only, but `range()` also calls the unassigned rest of IPv6 "unicast". */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR("2000::/3");

/**
 * False for every block of IANA's special-purpose registries, including the few services in them that are globally
 * reachable (AS112, AMT, PCP): none of them serves pages.
 *
 * https://www.iana.org/assignments/iana-ipv4-special-registry
 * https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  // `process` turns an IPv4-mapped IPv6 address into the IPv4 address that the socket would connect to.
  const target = ipaddr.process(address);
  if (target instanceof ipaddr.IPv6 && !target.match(GLOBAL_UNICAST)) return false;
  return target.range() === "unicast";
}

export interface ConnectorOptions {
  resolve: Resolve;
  /** False for addresses that the allow list permits. */
  guarded: boolean;
  timeoutMs: number;
}

export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const lookup: LookupFunction = (hostname, { all }, callback) => {
    options.resolve(hostname, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const first = addresses[0];
      if (first === undefined) return callback(notFound(hostname), []);
      // A single private address among public ones is refused: the socket chooses which one it connects to.
      const refused = options.guarded
        ? addresses.find(({ address }) => !isPublicAddress(address))
        : undefined;
      if (refused !== undefined) {
        return callback(new PrivateAddressError(hostname, refused.address), []);
      }
      if (all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
  const connect = buildConnector({ lookup, timeout: options.timeoutMs });
  return (target, callback) => {
    const hostname = target.hostname.replace(/^\[|\]$/g, "");
    if (options.guarded && isIP(hostname) !== 0 && !isPublicAddress(hostname)) {
      callback(new PrivateAddressError(hostname, hostname), null);
      return;
    }
    connect(target, callback);
  };
}

function notFound(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: "ENOTFOUND" });
}

/**
 * Refuses connections to addresses that are not on the public internet.
 * The check sits in the connector, on the very address that the socket then connects to, so a name that
 * resolves differently a moment later (DNS rebinding) gains nothing; literal addresses pass through the same.
 */
import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { buildConnector } from "undici";
import { PrivateAddressError } from "./private-address-error.ts";

/** IANA gives out no unicast addresses outside of it, but `range()` calls the unassigned rest of IPv6 "unicast" too. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR("2000::/3");

/**
 * False for every block of IANA's special-purpose registries, and so also for the few services in them that can be
 * reached from everywhere (AS112, AMT, PCP): none of them serves pages.
 *
 * https://www.iana.org/assignments/iana-ipv4-special-registry
 * https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  // `process` turns IPv4 inside IPv6 into the IPv4 address that would be connected to.
  const target = ipaddr.process(address);
  if (target instanceof ipaddr.IPv6 && !target.match(GLOBAL_UNICAST)) return false;
  return target.range() === "unicast";
}

export type Resolve = (
  hostname: string,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export const resolveWithSystem: Resolve = (hostname, done) =>
  systemLookup(hostname, { all: true }, done);

export interface ConnectorOptions {
  resolve: Resolve;
  /** False for addresses that the allow list names. */
  guarded: boolean;
  timeoutMs: number;
}

export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const lookup: LookupFunction = (hostname, { all }, callback) => {
    options.resolve(hostname, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const first = addresses[0];
      if (first === undefined) return callback(notFound(hostname), []);
      // One private address among public ones is enough: which one is connected to is not ours to choose.
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

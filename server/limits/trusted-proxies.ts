/** The value of TRUST_PROXY: the peers whose `X-Forwarded-For` is believed. */
import { BlockList, isIP } from "node:net";
import { list } from "#shared/variables.ts";

/** `hops`: how many peers of a request, counted from this server, may be proxies. */
export type TrustedProxies = { hops: number } | { addresses: BlockList };

/** The names of Express and Fastify for address ranges. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ["127.0.0.0/8", "::1/128"],
  linklocal: ["169.254.0.0/16", "fe80::/10"],
  uniquelocal: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
};
const MAX_HOPS = 32;
const MUST =
  "must be a number of proxies (1 to 32), or addresses and networks separated by commas, such as 10.0.0.5, 172.16.0.0/12, " +
  "2001:db8::/32, loopback, linklocal or uniquelocal";

export const NO_PROXIES: TrustedProxies = { hops: 0 };

export const trustedProxies = list.transform((entries, context): TrustedProxies => {
  const [first, ...others] = entries;
  if (first === undefined) return NO_PROXIES;
  if (/^\d+$/.test(first) && others.length === 0) {
    const hops = Number(first);
    if (hops <= MAX_HOPS) return { hops };
  }
  const addresses = new BlockList();
  const wrong = entries
    .flatMap((entry) => NAMED[entry.toLowerCase()] ?? [entry])
    .find((range) => !addRange(addresses, range));
  if (wrong === undefined) return { addresses };
  context.addIssue({ code: "custom", message: `${MUST}; ${JSON.stringify(wrong)} is neither` });
  return NO_PROXIES;
});

/** Returns false if the text is no address and no network. */
function addRange(addresses: BlockList, text: string): boolean {
  const [, address = "", bits] = /^([\da-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) return false;
  const most = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  // A network of all addresses would believe every stranger.
  if (prefix > most || prefix === 0) return false;
  addresses.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  return true;
}

/** `hop`: the number of trusted peers between this server and `address`. */
export function isTrusted(trusted: TrustedProxies, address: string, hop: number): boolean {
  if ("hops" in trusted) return hop < trusted.hops;
  return trusted.addresses.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

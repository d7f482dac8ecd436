import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { expect, test } from "vitest";
import { createConnector, isPublicAddress } from "./address-guard.ts";
import type { Resolve } from "./resolve.ts";
import { PrivateAddressError } from "./private-address-error.ts";

/** Every block of IANA's special-purpose registries for IPv4 and IPv6, and the blocks that are not unicast. */
const NON_PUBLIC_V4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "192.175.48.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
].map((range) => ipaddr.IPv4.parseCIDR(range));
const NON_PUBLIC_V6 = [
  "::/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "100:0:0:1::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "2620:4f:8000::/48",
  "3fff::/20",
  "5f00::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
  // The complement of 2000::/3.
  "::/3",
  "4000::/2",
  "8000::/1",
].map((range) => ipaddr.IPv6.parseCIDR(range));

/** An IPv4-mapped IPv6 address. */
const mapped = (address: string): boolean => address.startsWith("::ffff:");

/** Any address of a block; `bits` are its random host bits. */
function inBlock([network, prefix]: readonly [ipaddr.IPv4 | ipaddr.IPv6, number], random: bigint) {
  const bytes = network.toByteArray();
  const host = BigInt(bytes.length * 8 - prefix);
  const value = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n) + (random % 2n ** host);
  return ipaddr
    .fromByteArray(
      bytes.map((_, at) => Number((value >> BigInt(8 * (bytes.length - 1 - at))) % 256n)),
    )
    .toString();
}
const BITS = fc.bigInt(0n, 2n ** 128n - 1n);
const LAST = 2n ** 128n - 1n;

test("[A1] addresses of the special-purpose registries and those outside of 2000::/3 are not public", () => {
  const blocks = [...NON_PUBLIC_V4, ...NON_PUBLIC_V6];
  for (const block of blocks) {
    const ends = [inBlock(block, 0n), inBlock(block, LAST)];
    expect(ends.filter(isPublicAddress)).toEqual([]);
  }
  fc.assert(
    fc.property(fc.constantFrom(...blocks), BITS, (block, random) => {
      const address = inBlock(block, random);
      fc.pre(!mapped(address));
      expect(isPublicAddress(address)).toBe(false);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  "169.254.169.254",
  "192.0.0.9",
  "192.0.0.192",
  "255.255.255.255",
  "fd00:ec2::254",
  "64:ff9b::7f00:1",
  "64:ff9b:1::a00:1",
  "2001:1::1",
  "2002:7f00:1::",
  "2002:c0a8:101::1",
  "::7f00:1",
  "::ffff:127.0.0.1",
  "::ffff:10.0.0.1",
  "::ffff:a9fe:a9fe",
  "::ffff:0:7f00:1",
  "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  "4000::1",
  "fe80::1%eth0",
  "not an address",
  "",
])("[A1] %s is not public", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each([
  "8.8.8.8",
  "1.1.1.1",
  "100.63.255.255",
  "100.128.0.0",
  "172.32.0.1",
  "192.0.1.0",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2001:200::1",
  "2001:db7:ffff::1",
  "2001:db9::1",
  "2003::1",
  "2606:4700:4700::1111",
  "2a00:1450:4001:830::200e",
  "::ffff:8.8.8.8",
])("%s is public", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

/** Connects with a guarded connector and closes the socket at once; resolves to the error, or `null`. */
function connect(
  hostname: string,
  resolve: Resolve,
  guarded: boolean,
  port = "80",
): Promise<Error | null> {
  const connector = createConnector({ resolve, guarded, timeoutMs: 5000 });
  return new Promise((done) => {
    connector({ hostname, protocol: "http:", port }, (error, socket) => {
      socket?.destroy();
      done(error);
    });
  });
}

/** Any non-public address, also as IPv4 inside IPv6. */
const privateAddress = fc.oneof(
  fc
    .tuple(fc.constantFrom(...NON_PUBLIC_V4), BITS, fc.boolean())
    .map(([block, random, inIpv6]) => (inIpv6 ? "::ffff:" : "") + inBlock(block, random)),
  fc
    .tuple(fc.constantFrom(...NON_PUBLIC_V6), BITS)
    .map(([block, random]) => inBlock(block, random))
    .filter((address) => !mapped(address)),
);

test("[A1] a guarded connector never connects to an address that is not public, literal or resolved", async () => {
  await fc.assert(
    fc.asyncProperty(
      privateAddress,
      fc.array(fc.constant("8.8.8.8"), { maxLength: 2 }),
      async (address, others) => {
        const family = address.includes(":") ? 6 : 4;
        const literal = await connect(
          family === 6 ? `[${address}]` : address,
          () => expect.unreachable("a literal address is not looked up"),
          true,
        );
        expect(literal).toBeInstanceOf(PrivateAddressError);
        const resolved = await connect(
          "site.example",
          (_, done) =>
            done(null, [
              ...others.map((other) => ({ address: other, family: 4 })),
              { address, family },
            ]),
          true,
        );
        expect(resolved).toBeInstanceOf(PrivateAddressError);
      },
    ),
  );
});

test("[A1] a name is looked up once, so that DNS cannot answer differently the second time", async () => {
  const server = createServer();
  await new Promise<void>((listening) => {
    server.listen(0, "127.0.0.1", listening);
  });
  const port = `${(server.address() as AddressInfo).port}`;
  let lookups = 0;
  const resolve: Resolve = (_, done) => {
    lookups += 1;
    done(null, [{ address: "127.0.0.1", family: 4 }]);
  };
  expect(await connect("site.example", resolve, false, port)).toBeNull();
  expect(lookups).toBe(1);
  server.close();
});

test("a name that resolves to no addresses is reported as unknown", async () => {
  const error = await connect("site.example", (_, done) => done(null, []), true);
  expect(error).toMatchObject({ code: "ENOTFOUND" });
});

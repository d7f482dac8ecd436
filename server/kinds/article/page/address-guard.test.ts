import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { expect, test } from "vitest";
import { createConnector, isPublicAddress, type Resolve } from "./address-guard.ts";
import { PrivateAddressError } from "./private-address-error.ts";

test.each([
  "127.0.0.1",
  "127.255.255.254",
  "0.0.0.0",
  "10.0.0.1",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "169.254.169.254",
  "100.64.0.1",
  "192.0.0.192",
  "192.0.2.1",
  "198.18.0.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "fe80::1",
  "fc00::1",
  "fd00:ec2::254",
  "ff02::1",
  "fec0::1",
  "2001:db8::1",
  "100::1",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
  "2001::1",
  "::ffff:127.0.0.1",
  "::ffff:10.0.0.1",
  "::ffff:a9fe:a9fe",
  "not an address",
  "",
])("%s is not public", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"])(
  "%s is public",
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

/** Asks a connector for a connection; where it gives a socket, that is closed at once. */
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

const NON_PUBLIC = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "224.0.0.0/4",
  "240.0.0.0/4",
].map((range) => ipaddr.IPv4.parseCIDR(range));

/** Any address of these ranges, as IPv4 or inside of IPv6. */
const privateAddress = fc
  .tuple(fc.constantFrom(...NON_PUBLIC), fc.nat(0xffffffff), fc.boolean())
  .map(([[network, bits], random, mapped]) => {
    const base = network.octets.reduce((sum, octet) => sum * 256 + octet, 0);
    const value = base + (random % 2 ** (32 - bits));
    const address = new ipaddr.IPv4(
      [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256),
    );
    return mapped ? address.toIPv4MappedAddress().toString() : address.toString();
  });

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

test("[A1] a name is looked up once, so that a second answer cannot be another one", async () => {
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

test("a name without addresses is unknown", async () => {
  const error = await connect("site.example", (_, done) => done(null, []), true);
  expect(error).toMatchObject({ code: "ENOTFOUND" });
});

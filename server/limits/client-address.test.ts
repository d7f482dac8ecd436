import { describe, expect, test } from "vitest";
import { createClientAddress } from "./client-address.ts";
import { trustedProxies } from "./trusted-proxies.ts";

const addressOf = (trust: string, peer: string | undefined, forwarded?: string) =>
  createClientAddress(trustedProxies.parse(trust)).of({
    headers: { ...(forwarded !== undefined && { "x-forwarded-for": forwarded }) },
    socket: { remoteAddress: peer },
  });
const keyOf = (peer: string) =>
  createClientAddress(trustedProxies.parse("")).keyOf({
    headers: {},
    socket: { remoteAddress: peer },
  });

describe("[R2] the address of a caller", () => {
  test.each([
    // TRUST_PROXY, peer, X-Forwarded-For, address
    ["", "198.51.100.1", "203.0.113.7", "198.51.100.1"],
    ["", "::ffff:198.51.100.1", undefined, "198.51.100.1"],
    ["10.0.0.5", "10.0.0.5", undefined, "10.0.0.5"],
    ["10.0.0.5", "10.0.0.5", "203.0.113.7", "203.0.113.7"],
    ["10.0.0.5", "::ffff:10.0.0.5", "203.0.113.7", "203.0.113.7"],
    ["10.0.0.5", "10.0.0.6", "203.0.113.7", "10.0.0.6"],
    ["10.0.0.5", "10.0.0.5", "1.1.1.1, 203.0.113.7", "203.0.113.7"],
    ["10.0.0.0/8", "10.0.0.5", "1.1.1.1, 203.0.113.7, 10.9.9.9", "203.0.113.7"],
    ["uniquelocal, loopback", "127.0.0.1", "203.0.113.7,192.168.1.1", "203.0.113.7"],
    ["::1, 2001:db8::/32", "2001:db8::9", "2001:db9::1", "2001:db9::1"],
    ["loopback", "::1", "[2001:db9::1]:443", "2001:db9::1"],
    ["loopback", "::1", "203.0.113.7:4711", "203.0.113.7"],
    ["loopback", "127.0.0.1", "unknown", "127.0.0.1"],
    ["loopback", "127.0.0.1", "1.1.1.1, <script>", "127.0.0.1"],
    ["loopback", "127.0.0.1", " , ", "127.0.0.1"],
    ["loopback", "127.0.0.1", "127.0.0.2,127.0.0.3", "127.0.0.2"],
    ["1", "198.51.100.1", "1.1.1.1, 203.0.113.7", "203.0.113.7"],
    ["2", "198.51.100.1", "1.1.1.1, 203.0.113.7", "1.1.1.1"],
    ["2", "198.51.100.1", "203.0.113.7", "203.0.113.7"],
    ["loopback", undefined, "203.0.113.7", "unknown"],
  ])("TRUST_PROXY=%j, peer %s, X-Forwarded-For %j: %s", (trust, peer, forwarded, address) => {
    expect(addressOf(trust, peer, forwarded)).toBe(address);
  });

  test("a long header costs no more than its trusted part", () => {
    const forged = Array.from({ length: 2000 }, (_, n) => `9.9.9.${n % 256}`).join(",");
    expect(addressOf("loopback", "127.0.0.1", `${forged}, 203.0.113.7`)).toBe("203.0.113.7");
  });

  test.each([
    ["203.0.113.7", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::9", "2001:db8:1:2::/64"],
    ["2001:db8::9", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["64:ff9b::203.0.113.7", "64:ff9b:0:0::/64"],
  ])("%s counts as %s", (address, key) => {
    expect(keyOf(address)).toBe(key);
  });
});

test.each(["10.0.0.5/33", "0.0.0.0/0", "::/0", "proxy.local", "10.0.0", "33", "1, 2", "*", "true"])(
  "[R2] TRUST_PROXY=%j is refused, and the message says what it takes",
  (text) => {
    const { error } = trustedProxies.safeParse(text);
    expect(error?.issues[0]?.message).toContain("must be a number of proxies");
  },
);

function peersTold(
  trust: string,
  requests: readonly [peer: string, forwarded?: string][],
): string[] {
  const told: string[] = [];
  const addresses = createClientAddress(trustedProxies.parse(trust), (peer) => told.push(peer));
  for (const [peer, forwarded] of requests) {
    const headers = { ...(forwarded !== undefined && { "x-forwarded-for": forwarded }) };
    addresses.notice({ headers, socket: { remoteAddress: peer } });
  }
  return told;
}

describe("a proxy that TRUST_PROXY does not list", () => {
  test("is told once, and no other peer is", () => {
    expect(
      peersTold("10.0.0.5", [
        ["10.0.0.5", "203.0.113.7"],
        ["198.51.100.1"],
        ["::ffff:10.0.0.6", "203.0.113.7"],
        ["10.0.0.6", "203.0.113.8"],
      ]),
    ).toEqual(["10.0.0.6"]);
    expect(peersTold("1", [["198.51.100.1", "203.0.113.7"]])).toEqual([]);
  });

  test("is one of few, whatever strangers send", () => {
    const strangers = Array.from({ length: 100 }, (_, n): [string, string] => [`9.9.9.${n}`, "x"]);
    expect(peersTold("", strangers)).toHaveLength(4);
  });
});

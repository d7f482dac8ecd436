import type { IncomingMessage } from "node:http";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createOriginPolicy } from "./origins.ts";

const asked = (headers: { origin?: string; host?: string }) => ({ headers }) as IncomingMessage;
const policy = (host: string, ...origins: string[]) => {
  const { of } = createOriginPolicy({ host, origins });
  return (origin: string | undefined, name: string | undefined) =>
    of(
      asked({ ...(origin !== undefined && { origin }), ...(name !== undefined && { host: name }) }),
    );
};

describe("listed origins", () => {
  const of = policy(
    "0.0.0.0",
    "https://app.example.com",
    "https://*.example.org",
    "http://localhost:3000",
    "https://secure.example.net:443",
    "http://plain.example.net:80",
  );

  test.each([
    "https://app.example.com",
    "https://APP.example.com",
    "https://a.example.org",
    "https://a-1.b.example.org",
    "http://localhost:3000",
    "https://secure.example.net",
    "http://plain.example.net",
  ])("%s is allowed", (origin) => {
    expect(of(origin, "server.test")).toBe("allowed");
  });

  test.each([
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com.evil.test",
    "https://appxexample.com",
    "https://example.org",
    "https://.example.org",
    "https://evil.test/.example.org",
    "https://evil.test?.example.org",
    "https://evil.test#.example.org",
    "https://user@a.example.org",
    "https://a.example.org.evil.test",
    "https://a.example.org:8443",
    "https://a.example.org\nx",
    "http://localhost:3001",
    "null",
    "",
    "file://",
  ])("%j is foreign", (origin) => {
    expect(of(origin, "server.test")).toBe("foreign");
  });
});

describe("our own page", () => {
  test("is known by the name that it was asked for under", () => {
    const of = policy("0.0.0.0");
    expect(of("http://server.test:8000", "server.test:8000")).toBe("same");
    expect(of("https://jobs.example.com", "Jobs.Example.com")).toBe("same");
    expect(of("http://server.test:8000", "server.test:9000")).toBe("foreign");
    expect(of("http://server.test", undefined)).toBe("foreign");
  });

  test("of a server of this machine has a name of this machine", () => {
    for (const host of ["127.0.0.1", "::1", "localhost"]) {
      const of = policy(host);
      for (const name of [
        "localhost:8000",
        "127.0.0.1:8000",
        "[::1]:8000",
        "jobs.localhost:8000",
      ]) {
        expect(of(`http://${name}`, name)).toBe("same");
        expect(of(undefined, name)).toBe("none");
        expect(of("http://evil.test", name)).toBe("foreign");
      }
    }
  });
});

describe("DNS rebinding", () => {
  const names = [
    "evil.test:8000",
    "127.0.0.1.evil.test",
    "localhost.evil.test",
    "192.168.0.1",
    "a b",
    "[",
  ];

  test("a name that is not this machine's is refused, with an Origin and without", () => {
    const of = policy("127.0.0.1", "https://app.example.com");
    for (const name of names) {
      expect(of(undefined, name)).toBe("misnamed");
      expect(of(`http://${name}`, name)).toBe("misnamed");
    }
  });

  test("the name of a listed origin is ours, as a proxy on this machine passes it on", () => {
    const of = policy("127.0.0.1", "https://jobs.example.com", "http://*.example.org:8080");
    expect(of(undefined, "jobs.example.com")).toBe("none");
    expect(of("https://jobs.example.com", "jobs.example.com")).toBe("allowed");
    expect(of(undefined, "a.example.org:8080")).toBe("none");
  });

  test("a program that names no host is none of it, nor is a server that all may reach", () => {
    expect(policy("127.0.0.1")(undefined, undefined)).toBe("none");
    for (const name of names) expect(policy("0.0.0.0")(undefined, name)).toBe("none");
  });
});

test("no origin is let in that is neither listed nor the host that was asked for", () => {
  const of = policy("0.0.0.0", "https://*.example.org", "https://app.example.com");
  const label = fc.stringMatching(/^[a-z0-9-]{1,8}$/);
  const origin = fc.oneof(
    fc.string(),
    fc.webUrl(),
    fc
      .tuple(
        fc.constantFrom("https://", "http://"),
        label,
        fc.constantFrom(".example.org", ".example.com", "example.org"),
      )
      .map((parts) => parts.join("")),
  );
  const holds = fc.property(origin, (given) => {
    const listed =
      /^https:\/\/(?:app\.example\.com|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.example\.org)$/i.test(given);
    return (
      of(given, "server.test") ===
      (listed ? "allowed" : given === "http://server.test" ? "same" : "foreign")
    );
  });
  expect(() => fc.assert(holds, { numRuns: 500 })).not.toThrow();
});

import type { IncomingMessage } from "node:http";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadConfig } from "#server/config.ts";
import type { Access } from "#server/transports/contract.ts";
import { createOriginPolicy } from "./origins.ts";

interface Headers {
  origin?: string | undefined;
  host?: string | undefined;
  site?: string | undefined;
}

function asked({ origin, host, site }: Headers): IncomingMessage {
  const headers = { origin, host, "sec-fetch-site": site };
  const given = Object.entries(headers).filter(([, value]) => value !== undefined);
  return { headers: Object.fromEntries(given) } as IncomingMessage;
}

/** The rules of a server with authentication. */
const policy = (host: string, ...origins: string[]) => {
  const { of } = createOriginPolicy({ host, origins, allowedHosts: [], authenticated: true });
  return (origin: string | undefined, name: string | undefined) =>
    of(asked({ origin, host: name }), "data");
};

describe("listed origins", () => {
  const of = policy(
    "0.0.0.0",
    "https://app.example.com",
    "https://*.example.org",
    "http://localhost:3000",
  );

  test.each([
    "https://app.example.com",
    "https://APP.example.com",
    "https://a.example.org",
    "https://a-1.b.example.org",
    "http://localhost:3000",
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

describe("origins of other schemes", () => {
  const origins = [
    "null",
    "file://",
    "app://.",
    "capacitor://localhost",
    "chrome-extension://abcdefghijklmnop",
  ];

  test.each(origins)("%s is allowed if it is listed", (origin) => {
    expect(policy("0.0.0.0", ...origins)(origin, "server.test")).toBe("allowed");
    expect(policy("0.0.0.0", "https://app.example.com")(origin, "server.test")).toBe("foreign");
  });

  test("of one scheme do not allow another", () => {
    const of = policy("0.0.0.0", "capacitor://localhost");
    expect(of("http://localhost", "server.test")).toBe("foreign");
    expect(of("capacitor://localhost.evil.test", "server.test")).toBe("foreign");
    expect(policy("0.0.0.0", "null")("nullable", "server.test")).toBe("foreign");
    expect(policy("0.0.0.0", "file://")("file://x", "server.test")).toBe("foreign");
    expect(policy("0.0.0.0", "app://.")("app://x", "server.test")).toBe("foreign");
  });
});

describe("cookies", () => {
  const { isExact } = createOriginPolicy({
    origins: [
      "https://app.example.com",
      "https://*.example.org",
      "capacitor://localhost",
      "app://.",
      "file://",
      "null",
    ],
    host: "127.0.0.1",
    allowedHosts: [],
    authenticated: false,
  });

  test("are allowed from an origin that is listed exactly", () => {
    expect(isExact("https://app.example.com")).toBe(true);
    expect(isExact("capacitor://localhost")).toBe(true);
    expect(isExact("app://.")).toBe(true);
  });

  test.each([
    "https://a.example.org",
    "https://*.example.org",
    "null",
    "NULL",
    "file://",
    "https://evil.test",
    "",
  ])("are not allowed from %j", (origin) => {
    expect(isExact(origin)).toBe(false);
  });

  test.each(["NULL", "Null", "null", "FILE:///", "file://"])(
    "are not allowed from %j, however the operator writes it",
    (listed) => {
      const { CORS_ORIGINS } = loadConfig({ CORS_ORIGINS: listed });
      const { of, isExact } = createOriginPolicy({
        origins: CORS_ORIGINS,
        host: "127.0.0.1",
        allowedHosts: [],
        authenticated: false,
      });
      for (const origin of CORS_ORIGINS) {
        expect(of(asked({ origin, host: "localhost" }), "data")).toBe("allowed");
        expect(isExact(origin)).toBe(false);
      }
    },
  );
});

describe("our own page", () => {
  test("has the origin of the request's host", () => {
    const of = policy("0.0.0.0");
    expect(of("http://server.test:8000", "server.test:8000")).toBe("same");
    expect(of("https://jobs.example.com", "Jobs.Example.com")).toBe("same");
    expect(of("http://server.test:8000", "server.test:9000")).toBe("foreign");
    expect(of("http://server.test", undefined)).toBe("foreign");
  });

  test("of a local server has a name of this machine", () => {
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

  test("a name of another machine is refused, with an Origin and without", () => {
    const of = policy("127.0.0.1", "https://app.example.com");
    for (const name of names) {
      expect(of(undefined, name)).toBe("misnamed");
      expect(of(`http://${name}`, name)).toBe("misnamed");
    }
  });

  test("the host of a listed origin is allowed, because proxies on this machine forward it", () => {
    const of = policy("127.0.0.1", "https://jobs.example.com", "http://*.example.org:8080");
    expect(of(undefined, "jobs.example.com")).toBe("none");
    expect(of("https://jobs.example.com", "jobs.example.com")).toBe("allowed");
    expect(of(undefined, "a.example.org:8080")).toBe("none");
  });

  test("a program that sends no Host is allowed, and so is any name on a reachable server with authentication", () => {
    expect(policy("127.0.0.1")(undefined, undefined)).toBe("none");
    for (const name of names) expect(policy("0.0.0.0")(undefined, name)).toBe("none");
  });
});

test.each<[secure: boolean, http: string, https: string]>([
  [true, "foreign", "same"],
  [false, "same", "same"],
])(
  "[H8] if the server speaks TLS (%s), a page of http under its name is %s",
  (secure, http, https) => {
    const { of } = createOriginPolicy({
      origins: ["http://listed.example.com"],
      host: "0.0.0.0",
      allowedHosts: ["jobs.example.com"],
      authenticated: true,
      secure,
    });
    const host = "jobs.example.com";
    const from = (origin: string) =>
      of({ headers: { origin, host, "user-agent": "Mozilla/5.0" } } as IncomingMessage, "data");
    expect(from("http://jobs.example.com")).toBe(http);
    expect(from("https://jobs.example.com")).toBe(https);
    expect(from("http://listed.example.com")).toBe("allowed");
    // A program that sends no `User-Agent`, as websocket-client does.
    expect(of(asked({ origin: "http://jobs.example.com", host }), "data")).toBe("same");
  },
);

describe("[H8] a page that sends no Origin", () => {
  const { of } = createOriginPolicy({
    origins: ["https://app.example.com"],
    host: "127.0.0.1",
    allowedHosts: [],
    authenticated: false,
  });
  const site = (value: string | undefined, access: Access, origin?: string) =>
    of(asked({ origin, host: "localhost:8000", site: value }), access);
  const foreign = [
    "cross-site",
    "same-site",
    "",
    "Same-Origin",
    "NONE",
    "same-origin, cross-site",
    "same-origin, same-origin",
    "same-origin;x",
    "x",
  ];

  test.each(foreign)("is refused data if the browser sends %j", (value) => {
    expect(site(value, "data")).toBe("embedded");
  });

  test("may be our own page, or an address that a person typed", () => {
    for (const value of ["same-origin", "none", undefined])
      expect(site(value, "data")).toBe("none");
  });

  test("may embed paths without data, whatever the browser sends", () => {
    for (const value of foreign) {
      expect(site(value, "page")).toBe("none");
      expect(site(value, "public")).toBe("none");
    }
  });

  test("differs from a page that sends one: then only the Origin counts", () => {
    for (const value of foreign) {
      expect(site(value, "data", "https://app.example.com")).toBe("allowed");
      expect(site(value, "data", "http://localhost:8000")).toBe("same");
      expect(site(value, "page", "https://evil.test")).toBe("foreign");
    }
  });
});

describe("a server that others reach and that does not authenticate", () => {
  const { of } = createOriginPolicy({
    origins: ["https://app.example.com", "https://*.example.org:8443", "https://tls.example.net"],
    host: "0.0.0.0",
    allowedHosts: ["jobs.example.com", "*.internal", "only.test:8000", "gateway_1", "[fd00::1]:80"],
    authenticated: false,
  });
  const named = (host: string | undefined, access: Access = "data") => of(asked({ host }), access);

  test.each([
    "192.168.0.1",
    "192.168.0.1:8000",
    "127.0.0.1:8000",
    "0.0.0.0",
    "[::1]",
    "[2001:DB8::1]:8000",
    "[::ffff:127.0.0.1]:8000",
    "localhost:8000",
    "LocalHost",
    "a.b.localhost:1",
    "app.example.com",
    "APP.example.com",
    "app.example.com:443",
    "a.b.example.org:8443",
    "tls.example.net",
    "jobs.example.com",
    "jobs.example.com:9000",
    "Jobs.Example.com",
    "a.internal",
    "a.b.internal:8000",
    "only.test:8000",
    "gateway_1:8000",
  ])("answers to %s", (host) => {
    expect([named(host), named(host, "page"), named(host, "public")]).toEqual([
      "none",
      "none",
      "none",
    ]);
  });

  test.each([
    "evil.test",
    "evil.test:8000",
    "127.0.0.1.evil.test",
    "localhost.evil.test",
    "evillocalhost",
    "localhost.",
    "127.0.0.1.",
    "jobs.example.com.",
    "2130706433",
    "0x7f.1",
    "0x7f.0.0.1",
    "127.1",
    "0177.0.0.1",
    "999.0.0.1",
    "127.0.0.1, evil.test",
    "localhost@evil.test",
    "evil.test@localhost",
    "evil.test#localhost",
    "evil.test/localhost",
    "evil.test\\localhost",
    "localhost:",
    "localhost:x",
    "localhost:123456",
    " localhost",
    "::1",
    "[::1",
    "[::1]x",
    "[fe80::1%eth0]",
    "[:::]",
    "[v1.x]",
    "",
    ":8000",
    ".localhost",
    "..localhost",
    "a b",
    "[",
    "example.org:8443",
    "a.example.org",
    "app.example.com:8443",
    "internal",
    "xinternal",
    "only.test",
    "only.test:80001",
    "ajobs.example.com",
    "\u2138ocalhost",
  ])("does not answer to %j, except on paths without data", (host) => {
    expect([named(host), named(host, "page"), named(host, "public")]).toEqual([
      "misnamed",
      "misnamed",
      "none",
    ]);
    expect(of(asked({ host, origin: `http://${host}` }), "data")).toBe("misnamed");
  });

  test("answers no request without a Host, except on paths without data", () => {
    expect([named(undefined), named(undefined, "page"), named(undefined, "public")]).toEqual([
      "misnamed",
      "misnamed",
      "none",
    ]);
  });

  test("answers a listed origin under any name, because pages cannot forge an Origin", () => {
    for (const host of ["api.example.com", "evil.test", undefined]) {
      expect(
        of(asked({ host, origin: "https://app.example.com", site: "cross-site" }), "data"),
      ).toBe("allowed");
    }
  });

  test("answers to HOST itself if that is a name", () => {
    const { of } = createOriginPolicy({
      origins: [],
      host: "jobs.lan",
      allowedHosts: [],
      authenticated: false,
    });
    expect(of(asked({ host: "jobs.lan:8000" }), "data")).toBe("none");
    expect(of(asked({ host: "other.lan:8000" }), "data")).toBe("misnamed");
  });
});

describe("a server of this machine", () => {
  const { of } = createOriginPolicy({
    origins: [],
    host: "127.0.0.1",
    allowedHosts: ["jobs.example.com", "10.0.0.5"],
    authenticated: false,
  });

  test("answers also to ALLOWED_HOSTS", () => {
    for (const host of ["jobs.example.com:8080", "10.0.0.5", "127.8.8.8:1", "[::1]"]) {
      expect(of(asked({ host }), "data")).toBe("none");
    }
  });

  test("answers on no path to names that only resemble names of this machine", () => {
    for (const host of [
      "10.0.0.6",
      "2130706433",
      "0x7f.1",
      "localhost.",
      "x@localhost",
      "::1",
      "",
    ]) {
      for (const access of ["data", "page", "public"] as const) {
        expect([host, of(asked({ host }), access)]).toEqual([host, "misnamed"]);
      }
    }
  });
});

test("an Origin without a host does not match a request without a Host", () => {
  for (const origin of ["null", "file://", "", "x"]) {
    for (const host of ["0.0.0.0", "127.0.0.1"]) {
      expect(policy(host)(origin, undefined)).toBe("foreign");
    }
    expect(policy("0.0.0.0")(origin, "")).toBe("foreign");
  }
});

test("an origin that is neither listed nor the request's host is never allowed", () => {
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

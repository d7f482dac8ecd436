import { describe, expect, test } from "vitest";
import { createOriginPolicy } from "#server/transports/requests/origins.ts";
import { createSignInCookies } from "./sign-in-cookie.ts";

const policy = createOriginPolicy({
  origins: [
    "https://app.example.com",
    "http://localhost:3000",
    "http://app.lan",
    "https://*.wild.com",
    "null",
    "file://",
    "capacitor://localhost",
  ],
  host: "0.0.0.0",
  allowedHosts: [],
  authenticated: true,
});
const cookies = createSignInCookies(policy.isExact);
const BOTH = "theme=dark; __Host-jobwire=secure; jobwire=plain; jobwire2=x";
const PUBLIC = "jobs.example.com";
const LOCAL = "localhost:8000";

type Site = "same-origin" | "same-site" | "cross-site" | "none" | undefined;
type Counts = "secure" | "plain" | undefined;

const CASES: [origin: string | undefined, site: Site, host: string, counts: Counts][] = [
  // Our own page.
  ["https://jobs.example.com", "same-origin", PUBLIC, "secure"],
  ["https://jobs.example.com", undefined, PUBLIC, "secure"],
  ["https://JOBS.example.com", undefined, "Jobs.Example.com", "secure"],
  ["https://localhost:8000", "same-origin", LOCAL, "secure"],
  ["http://localhost:8000", "same-origin", LOCAL, "plain"],
  ["http://localhost:8000", undefined, LOCAL, "plain"],
  ["http://127.0.0.1:8000", "same-origin", "127.0.0.1:8000", "plain"],
  ["http://[::1]:8000", "same-origin", "[::1]:8000", "plain"],
  // Our own page over plain HTTP, on which anyone on the way could act as our page.
  ["http://jobs.example.com", "same-origin", PUBLIC, undefined],
  ["http://jobs.example.com", undefined, PUBLIC, undefined],
  ["http://192.168.1.5:8000", "same-origin", "192.168.1.5:8000", undefined],
  // Pages that the operator listed by name.
  ["https://app.example.com", "same-site", PUBLIC, "secure"],
  ["https://app.example.com", "cross-site", PUBLIC, "secure"],
  ["http://localhost:3000", "same-site", LOCAL, "plain"],
  ["http://localhost:3000", "cross-site", PUBLIC, undefined],
  ["http://app.lan", "cross-site", PUBLIC, undefined],
  ["http://app.lan", "cross-site", LOCAL, undefined],
  ["capacitor://localhost", "cross-site", PUBLIC, undefined],
  // Pages that a wildcard covers, or that share their origin with others.
  ["https://a.wild.com", "cross-site", PUBLIC, undefined],
  ["null", "cross-site", PUBLIC, undefined],
  ["null", "same-origin", PUBLIC, undefined],
  ["file://", "cross-site", PUBLIC, undefined],
  // Any other page.
  ["https://evil.example", "cross-site", PUBLIC, undefined],
  ["https://evil.example", "same-origin", PUBLIC, undefined],
  ["https://www.example.com", "same-site", PUBLIC, undefined],
  ["https://jobs.example.com:8443", "same-site", PUBLIC, undefined],
  ["https://jobs.example.com.evil.example", "cross-site", PUBLIC, undefined],
  ["http://localhost:9000", "same-site", LOCAL, undefined],
  ["", "same-origin", PUBLIC, undefined],
  // Without `Origin`: GET requests of our page say so; links, images, programs and old browsers do not.
  [undefined, "same-origin", PUBLIC, "secure"],
  [undefined, "same-site", PUBLIC, undefined],
  [undefined, "cross-site", PUBLIC, undefined],
  [undefined, "none", PUBLIC, undefined],
  [undefined, undefined, PUBLIC, undefined],
];

const headersOf = (origin: string | undefined, site: Site, host: string) => ({
  host,
  ...(origin !== undefined && { origin }),
  ...(site !== undefined && { "sec-fetch-site": site }),
});

test.each(CASES)(
  "[P11] with Origin %s and Sec-Fetch-Site %s at %s, the cookie that counts is: %s",
  (origin, site, host, counts) => {
    const headers = { ...headersOf(origin, site, host), cookie: BOTH };
    expect(cookies.secretIn(headers)).toBe(counts);
  },
);

test.each(CASES.filter(([origin]) => origin !== undefined))(
  "[P11] a page with Origin %s and Sec-Fetch-Site %s at %s may set the cookie: %s",
  (origin, site, host, counts) => {
    const cookie = cookies.cookieFor(headersOf(origin, site, host));
    const name = counts && { secure: "__Host-jobwire", plain: "jobwire" }[counts];
    expect(cookie?.set("abc", 90_500).split(";")[0]).toBe(name && `${name}=abc`);
  },
);

test("[P11] a request without Origin sets no cookie", () => {
  expect(cookies.cookieFor(headersOf(undefined, "same-origin", PUBLIC))).toBeUndefined();
});

describe("the cookie", () => {
  test("[P11] is out of reach for scripts, other sites and other paths, and for plain HTTP", () => {
    const cookie = cookies.cookieFor(headersOf("https://jobs.example.com", undefined, PUBLIC));
    expect(cookie?.set("abc", 90_500)).toBe(
      "__Host-jobwire=abc; Max-Age=90; Path=/; HttpOnly; SameSite=Lax; Secure",
    );
    expect(cookie?.clear()).toBe(
      "__Host-jobwire=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure",
    );
  });

  test("[P11] has no prefix and no Secure over plain HTTP on this machine", () => {
    const cookie = cookies.cookieFor(headersOf("http://localhost:8000", undefined, LOCAL));
    expect(cookie?.set("abc", 1000)).toBe("jobwire=abc; Max-Age=1; Path=/; HttpOnly; SameSite=Lax");
    expect(cookie?.clear()).toBe("jobwire=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax");
  });

  test("[P11] for pages of other sites, it is Secure and a part of each site's own, and counts in the same requests", () => {
    const crossSite = createSignInCookies(policy.isExact, "none");
    const attributes = "Path=/; HttpOnly; SameSite=None; Secure; Partitioned";
    for (const [origin, host, name] of [
      ["https://app.example.com", PUBLIC, "__Host-jobwire"],
      ["http://localhost:3000", LOCAL, "jobwire"],
    ] as const) {
      const cookie = crossSite.cookieFor(headersOf(origin, "cross-site", host));
      expect(cookie?.set("abc", 1000)).toBe(`${name}=abc; Max-Age=1; ${attributes}`);
      expect(cookie?.clear()).toBe(`${name}=; Max-Age=0; ${attributes}`);
    }
    for (const [origin, site, host, counts] of CASES) {
      const headers = { ...headersOf(origin, site, host), cookie: BOTH };
      expect(crossSite.secretIn(headers)).toBe(counts);
    }
  });

  test("[P11] has the path of its server, so that another one at another path has its own", () => {
    const jobs = createSignInCookies(policy.isExact, "lax", "/jobs");
    const below = createSignInCookies(policy.isExact, "lax", "/jobs/a.b");
    const page = headersOf("https://jobs.example.com", undefined, PUBLIC);
    expect(jobs.cookieFor(page)?.set("abc", 90_500)).toBe(
      "__Host-jobwire+jobs=abc; Max-Age=90; Path=/; HttpOnly; SameSite=Lax; Secure",
    );
    const cookie =
      "__Host-jobwire=root; __Host-jobwire+jobs=own; __Host-jobwire+jobs+a.b=below; jobwire+jobs=plain";
    expect([cookies, jobs, below].map(({ secretIn }) => secretIn({ ...page, cookie }))).toEqual([
      "root",
      "own",
      "below",
    ]);
    const local = headersOf("http://localhost:8000", undefined, LOCAL);
    expect(jobs.secretIn({ ...local, cookie })).toBe("plain");
    expect(cookies.isSent({ cookie: "jobwire+jobs=x; __Host-jobwire+jobs=x" })).toBe(false);
    expect(jobs.isSent({ cookie: "a=b; jobwire+jobs=x" })).toBe(true);
    expect(jobs.isSent({ cookie: "jobwire=x" })).toBe(false);
    expect(jobs.isSent({})).toBe(false);
  });

  test.each([
    ["jobwire=a", "a"],
    ["a=b;jobwire=c", "c"],
    ["xjobwire=a", undefined],
    ["jobwire", undefined],
    ["jobwire=first; jobwire=second", "first"],
    ["", undefined],
  ])("[P11] is read from %s as %s", (cookie, secret) => {
    const headers = headersOf("http://localhost:8000", "same-origin", LOCAL);
    expect(cookies.secretIn({ ...headers, cookie })).toBe(secret);
  });
});

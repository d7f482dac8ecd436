import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLocalServer, type LocalServer } from "#test/article/local-server.fixture.ts";
import { resolveWithSystem } from "./resolve.ts";
import { createAllowList } from "./allow-list.ts";
import { fetchHtml, type FetchHtmlOptions } from "./fetch-html.ts";
import { FETCH_LIMITS } from "./fetch-limits.ts";
import { decodePage } from "./decode-page.ts";
import { startClock } from "./page-clock.ts";
import { LONGEST_REDIRECT } from "./page-limits.ts";

const HTML = { "content-type": "text/html; charset=utf-8" };
const LIMIT = 64 * 1024;

function redirect(response: ServerResponse, location: string, status = 302): void {
  response.writeHead(status, { location }).end();
}

function manyHeaders(bytes: number): Record<string, string> {
  const cookies = Array.from({ length: bytes / 1000 }, (_, at) => [`x-${at}`, "x".repeat(990)]);
  return { ...HTML, ...Object.fromEntries(cookies) };
}

const PAGES: Record<string, (response: ServerResponse, request: IncomingMessage) => void> = {
  "/page": (response) => response.writeHead(200, HTML).end("<p>Good morning</p>"),
  "/xhtml": (response) =>
    response.writeHead(200, { "content-type": "application/xhtml+xml" }).end("<p>Good morning</p>"),
  "/gzip": (response) =>
    response
      .writeHead(200, { ...HTML, "content-encoding": "gzip" })
      .end(gzipSync("<p>Good morning</p>")),
  "/stray-byte": (response) =>
    response
      .writeHead(200, { "content-type": "text/html" })
      .end(Buffer.concat([Buffer.from("<p>It’s morning</p>"), Buffer.from([0xa0])])),
  "/untyped": (response) => response.writeHead(200).end("<!doctype html><p>Good morning</p>"),
  "/untyped-data": (response) => response.writeHead(200).end("a,b\n1,2"),
  "/pdf": (response) => response.writeHead(200, { "content-type": "application/pdf" }).end("%PDF"),
  "/missing": (response) => response.writeHead(404, HTML).end("gone"),
  "/broken": (response) => response.writeHead(500).end(),
  "/busy": (response) => response.writeHead(503, { "retry-after": "30" }).end(),
  "/away": (response) => response.writeHead(503).end(),
  "/limited": (response) => response.writeHead(429, { "retry-after": "2" }).end(),
  "/not-modified": (response) => response.writeHead(304).end(),
  "/large": (response) => response.writeHead(200, HTML).end("x".repeat(LIMIT + 1)),
  "/bomb": (response) =>
    response
      .writeHead(200, { ...HTML, "content-encoding": "gzip" })
      .end(gzipSync("x".repeat(100 * LIMIT))),
  "/largest": (response) => response.writeHead(200, HTML).end("x".repeat(LIMIT)),
  "/endless": (response) => {
    response.writeHead(200, HTML);
    const more = (): void => {
      while (!response.destroyed && response.write("x".repeat(1024)));
    };
    response.on("drain", more);
    more();
  },
  "/silent": () => {},
  "/half": (response) => response.writeHead(200, HTML).write("<p>Good"),
  "/cut": (response) => {
    response.writeHead(200, { ...HTML, "content-length": "1000" });
    response.write("<p>Good", () => response.destroy());
  },
  "/loop": (response) => redirect(response, "/loop"),
  "/moved": (response) => redirect(response, "/page", 301),
  "/empty-location": (response) => redirect(response, ""),
  "/moved-twice": (response) =>
    response.writeHead(302, ["location", "/page?a=b,c", "location", "/page?a=b,c"]).end(),
  "/page?a=b,c": (response) => response.writeHead(200, HTML).end("Good morning"),
  "/to-longer": (response) => redirect(response, `/${"\xff".repeat(LONGEST_REDIRECT / 2)}`),
  "/headers-20k": (response) => response.writeHead(200, manyHeaders(20_000)).end("Good morning"),
  "/headers-200k": (response) => response.writeHead(200, manyHeaders(200_000)).end("Good morning"),
  "/headers-300k": (response) => response.writeHead(200, manyHeaders(300_000)).end("Good morning"),
  "/to-headers-300k": (response) =>
    response.writeHead(302, { ...manyHeaders(300_000), location: "/page" }).end(),
  "/to-file": (response) => redirect(response, "file:///etc/passwd"),
  "/to-password": (response) => redirect(response, "http://user:secret@site.example/"),
  "/to-metadata": (response) => redirect(response, "http://169.254.169.254/latest/meta-data/"),
  "/to-unlisted": (response, request) =>
    redirect(
      response,
      `http://${(request.headers.host ?? "").replace("localhost", "127.0.0.1")}/page`,
    ),
};

let server: LocalServer;

beforeAll(async () => {
  server = await openLocalServer((request, response) => {
    const url = request.url ?? "";
    const hops = /^\/hops\/(\d+)$/.exec(url)?.[1];
    if (hops !== undefined) {
      redirect(response, hops === "1" ? "/page" : `/hops/${Number(hops) - 1}`, 307);
      return;
    }
    const location = /^\/to\?(.*)$/.exec(url)?.[1];
    // Node writes header strings as latin1 bytes.
    if (location !== undefined) redirect(response, Buffer.from(location, "hex").toString("latin1"));
    else if (url.startsWith("/at/")) response.writeHead(200, HTML).end(url);
    else PAGES[url]?.(response, request);
  });
});
afterAll(() => server[Symbol.asyncDispose]());

function options(more: Partial<FetchHtmlOptions> = {}): FetchHtmlOptions {
  return {
    allow: createAllowList([server.host]),
    resolve: resolveWithSystem,
    limits: { ...FETCH_LIMITS, bytes: LIMIT },
    ...more,
  };
}

async function get(
  path: string,
  more: Partial<FetchHtmlOptions> = {},
): Promise<{ url: string; html: string }> {
  const address = path.startsWith("/") ? server.origin + path : path;
  const all = options(more);
  const clock = startClock(all.limits.timeoutMs, () => performance.now());
  const signal = new AbortController().signal;
  const { url, ...fetched } = await fetchHtml(address, signal, all, clock);
  return { url, html: decodePage(fetched) };
}

test.each(["/page", "/xhtml", "/gzip", "/untyped", "/headers-20k", "/headers-200k"])(
  "%s is fetched",
  async (path) => {
    const { html, url } = await get(path);
    expect(html).toContain("Good morning");
    expect(url).toBe(server.origin + path);
  },
);

test("a page that declares no charset is read as UTF-8 in spite of a stray byte", async () => {
  expect((await get("/stray-byte")).html).toBe("<p>It’s morning</p>\uFFFD");
});

test("[A2] a page of exactly the limit is read", async () => {
  expect((await get("/largest")).html).toHaveLength(LIMIT);
});

test("[A2] redirects are followed, and the result has the final address", async () => {
  expect((await get("/moved")).url).toBe(`${server.origin}/page`);
  expect((await get("/moved-twice")).url).toBe(`${server.origin}/page?a=b,c`);
  expect((await get("/hops/5")).html).toContain("Good morning");
});

test.each([
  ["UTF-8", Buffer.from("/at/käse?q=ü"), "/at/k%C3%A4se?q=%C3%BC"],
  ["latin1", Buffer.from("/at/käse?q=ü", "latin1"), "/at/k%E4se?q=%FC"],
])("[A2] a redirect whose address is in raw %s is followed", async (_, location, asked) => {
  const { html, url } = await get(`/to?${location.toString("hex")}`);
  expect(html).toBe(asked);
  expect(url).toBe(server.origin + asked);
});

test("[A2] a redirect to an umlaut domain in raw UTF-8 is followed to its Punycode", async () => {
  const port = new URL(server.origin).port;
  const asked: string[] = [];
  const { html, url } = await get(
    `/to?${Buffer.from(`http://b\u00fccher.example:${port}/page`).toString("hex")}`,
    {
      allow: () => true,
      resolve: (hostname, done) => {
        asked.push(hostname);
        done(null, [{ address: "127.0.0.1", family: 4 }]);
      },
    },
  );
  expect(html).toContain("Good morning");
  expect(url).toBe(`http://xn--bcher-kva.example:${port}/page`);
  expect(asked).toContain("xn--bcher-kva.example");
});

test.each([
  ["/missing", "PAGE_STATUS", "answered with status 404 Not Found"],
  ["/broken", "PAGE_STATUS", "answered with status 500 Internal Server Error"],
  ["/not-modified", "PAGE_STATUS", "answered with status 304 Not Modified"],
  ["/pdf", "PAGE_NOT_HTML", "is not an HTML page but application/pdf"],
  ["/untyped-data", "PAGE_NOT_HTML", "does not look like HTML"],
  ["/large", "PAGE_TOO_LARGE", "is larger than 64 KiB"],
  ["/bomb", "PAGE_TOO_LARGE", "is larger than 64 KiB"],
  ["/endless", "PAGE_TOO_LARGE", "is larger than 64 KiB"],
  ["/cut", "PAGE_CUT_OFF", "was not received completely"],
  ["/loop", "PAGE_TOO_MANY_REDIRECTS", "redirects more than 5 times"],
  ["/hops/6", "PAGE_TOO_MANY_REDIRECTS", "redirects more than 5 times"],
  ["/empty-location", "PAGE_STATUS", "answered with status 302 Found"],
  ["/to-longer", "PAGE_BAD_ADDRESS", "redirects to an address of more than 8000 characters"],
  ["/headers-300k", "PAGE_TOO_LARGE", "sends more than 256 KiB of headers"],
  ["/to-headers-300k", "PAGE_TOO_LARGE", "sends more than 256 KiB of headers"],
  [
    "/to-file",
    "PAGE_BAD_ADDRESS",
    "redirects to an address that is not a web page: file:///etc/passwd",
  ],
  ["/to-password", "PAGE_BAD_ADDRESS", "has a user name or password in its address"],
  ["/to-metadata", "PAGE_PRIVATE_ADDRESS", "169.254.169.254 is a private address"],
  ["/to-unlisted", "PAGE_PRIVATE_ADDRESS", "127.0.0.1 is a private address"],
  ["ftp://site.example/", "PAGE_BAD_ADDRESS", "is not an http or https address"],
  ["http://user@site.example/", "PAGE_BAD_ADDRESS", "has a user name or password"],
])("%s is refused as %s", async (path, code, message) => {
  await expect(get(path)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
});

test.each([
  ["/busy", 30_000],
  ["/limited", 2000],
  ["/away", undefined],
  ["/broken", undefined],
])("%s sets a retry after %s ms", async (path, retryAfterMs) => {
  await expect(get(path)).rejects.toMatchObject({ code: "PAGE_STATUS", retryAfterMs });
});

test.each(["/silent", "/half"])(
  "the fetch of a server that stops answering times out: %s",
  async (path) => {
    const limits = { ...FETCH_LIMITS, timeoutMs: 100 };
    await expect(get(path, { limits })).rejects.toMatchObject({
      code: "PAGE_TIMEOUT",
      message: "did not answer within 0.1 s",
    });
  },
);

test("[A2] a page whose time is used up fails at once, and the error names the whole time limit", async () => {
  const clock = { totalMs: 10_000, leftMs: () => 0 };
  const fetching = fetchHtml(
    `${server.origin}/silent`,
    new AbortController().signal,
    options(),
    clock,
  );
  await expect(fetching).rejects.toMatchObject({
    code: "PAGE_TIMEOUT",
    message: "did not answer within 10 s",
  });
});

test("an abort ends the fetch with its own reason", async () => {
  const controller = new AbortController();
  const reason = new Error("cancelled");
  const started = Promise.withResolvers<void>();
  await using slow = await openLocalServer(() => started.resolve());
  const clock = startClock(60_000, () => performance.now());
  const fetching = fetchHtml(slow.origin, controller.signal, options({ allow: () => true }), clock);
  await started.promise;
  controller.abort(reason);
  await expect(fetching).rejects.toBe(reason);
});

test("the error says that the connection was refused", async () => {
  const closed = await openLocalServer(() => {});
  await closed[Symbol.asyncDispose]();
  await expect(get(closed.origin, { allow: () => true })).rejects.toMatchObject({
    code: "PAGE_UNREACHABLE",
    message: "cannot be reached: the connection was refused",
  });
});

test.each([
  ["ENOTFOUND", "its name is not known"],
  ["EAI_AGAIN", "its name cannot be looked up right now"],
])("the error says why a name cannot be resolved (%s)", async (code, reason) => {
  const error = Object.assign(new Error(code), { code });
  await expect(
    get("http://site.example/", { resolve: (_, done) => done(error, []) }),
  ).rejects.toMatchObject({ code: "PAGE_UNREACHABLE", message: `cannot be reached: ${reason}` });
});

test("[H12] a system error is reported without addresses of this machine", async () => {
  const text = "connect EADDRNOTAVAIL 93.184.216.34:80 - Local (10.0.0.5:0)";
  const error = Object.assign(new Error(text), { code: "EADDRNOTAVAIL", syscall: "connect" });
  await expect(
    get("http://site.example/", { resolve: (_, done) => done(error, []) }),
  ).rejects.toMatchObject({ message: "cannot be reached: the connection failed (EADDRNOTAVAIL)" });
});

describe("[A1] addresses that are not public", () => {
  test.each([
    "http://localhost/",
    "http://LOCALHOST/",
    "http://127.0.0.1/",
    "http://127.1/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://0.0.0.0/",
    "http://10.1.2.3/",
    "http://192.168.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[fd00:ec2::254]/",
    "http://[64:ff9b::7f00:1]/",
    "https://127.0.0.1/",
  ])("%s is refused", async (url) => {
    await expect(get(url, { allow: () => false })).rejects.toMatchObject({
      code: "PAGE_PRIVATE_ADDRESS",
      message: expect.stringContaining("FETCH_ALLOW"),
    });
  });

  test.each(["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00::1"])(
    "a name that resolves to %s is refused",
    async (address) => {
      await expect(
        get("http://site.example/", {
          resolve: (_, done) => done(null, [{ address, family: address.includes(":") ? 6 : 4 }]),
        }),
      ).rejects.toMatchObject({
        code: "PAGE_PRIVATE_ADDRESS",
        message: expect.stringContaining(`site.example is ${address}`),
      });
    },
  );

  test("[A1] an allowed path does not open other paths of its host, not even by a redirect", async () => {
    await using site = await openLocalServer((request, response) => {
      if (request.url === "/samples/") redirect(response, "/secret");
      else response.writeHead(200, HTML).end("secret");
    });
    const allow = createAllowList([`${site.host}/samples/`]);
    for (const path of ["/samples/", "/samples/..;/secret", "/samples/%2e%2e%2fsecret"]) {
      await expect(get(site.origin + path, { allow })).rejects.toMatchObject({
        code: "PAGE_PRIVATE_ADDRESS",
      });
    }
  });
});

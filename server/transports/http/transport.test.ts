import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mountTransports } from "#server/transports/mount.ts";
import { createOriginPolicy } from "#server/transports/requests/origins.ts";
import type { Identify } from "#server/transports/contract.ts";
import { AppError, type ErrorCode } from "#shared/errors.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";
import { FAULT } from "#shared/public-message.ts";
import { createHttpTransport, type Readiness } from "./transport.ts";

const SECRET = "open '/var/lib/jobwire/jobwire.db' redis://10.0.0.7";

/** The page's addresses are relative to the base path. */
const PAGE = '<base href="/jobs/" /><title>Jobwire</title>';

let dir: string;
let clientDir: string;
let server: Server;
let ready: () => Promise<Readiness>;
let logged: unknown[];
let identify: Identify;
let metrics: () => Promise<{ contentType: string; text: string }>;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "jobwire-http-"));
  clientDir = join(dir, "client");
  await mkdir(clientDir);
  await addSite();
  ready = async () => ({});
  logged = [];
  metrics = async () => ({ contentType: "text/plain; version=0.0.4", text: "up 1\n" });
  identify = async () => ({ principal: LOCAL_PRINCIPAL, expiresAt: undefined, via: "anonymous" });
  server = createServer();
  const transport = createHttpTransport({
    clientDir,
    basePath: "/jobs",
    compression: true,
    sites: [{ path: "/docs/", dir: join(dir, "site"), notFound: "There is no such document." }],
    ready: () => ready(),
    metrics: () => metrics(),
    identify: (credentials) => identify(credentials),
    log: { warn: (fields: unknown) => void logged.push(fields) },
  });
  const origins = createOriginPolicy({
    origins: [],
    host: "127.0.0.1",
    allowedHosts: [],
    authenticated: false,
  });
  mountTransports(server, [transport], origins);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(dir, { recursive: true });
});

/** A static site, and a file beside it that must not be served. */
async function addSite(): Promise<void> {
  await mkdir(join(dir, "site", "en", "start"), { recursive: true });
  await writeFile(join(dir, "site", "index.html"), '<a href="en/start/">Start</a>');
  await writeFile(join(dir, "site", "en", "start", "index.html"), "<h1>Welcome</h1>");
  await writeFile(join(dir, "secret.ts"), SECRET);
}

async function build(): Promise<void> {
  await mkdir(join(clientDir, "assets"));
  await writeFile(join(clientDir, "index.html"), '<base href="/" /><title>Jobwire</title>');
  const script = join(clientDir, "assets", "app-a1b2.js");
  await writeFile(script, "export {};");
  await writeFile(`${script}.br`, "smallest");
  await writeFile(`${script}.gz`, "small");
  await writeFile(join(clientDir, "robots.txt"), "User-agent: *");
}

interface Answer {
  status: number | undefined;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Sends the path unchanged; `fetch` would normalise it. */
function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const req = request({ host: "127.0.0.1", port, path, ...options }, (res) => {
      let body = "";
      res.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      res.on("end", () => resolve({ status: res.statusCode, headers: res.headers, body }));
      res.on("error", reject);
    });
    req.on("error", reject).end();
  });
}

describe("health", () => {
  test("/healthz answers while the process runs", async () => {
    const { status, headers, body } = await ask("/healthz?x=1");
    expect([status, headers["content-type"], body]).toEqual([
      200,
      "application/json",
      '{"status":"ok"}',
    ]);
    expect(headers["cache-control"]).toBe("no-store");
  });

  test.each(["/healthz/", "//healthz", "/readyz/", "//readyz//", "/metrics/"])(
    "%s is not answered with the page",
    async (path) => {
      const { status, body } = await ask(path);
      expect([status, body]).toEqual([404, `Not found. Use /${path.replaceAll("/", "")}.\n`]);
    },
  );

  test("/readyz gives the reason if the server is not ready", async () => {
    expect(await ask("/readyz")).toMatchObject({ status: 200, body: '{"status":"ready"}' });
    ready = () => Promise.reject(new AppError("UNAVAILABLE", "The disk is full."));
    const { status, body } = await ask("/readyz");
    expect([status, JSON.parse(body)]).toEqual([
      503,
      { status: "unavailable", reason: "The disk is full." },
    ]);
  });

  test.each([
    ["an error of the system", Object.assign(new Error(SECRET), { code: "ENOENT" })],
    ["any other error", new Error(SECRET)],
    ["the cause of unavailable data", new AppError("UNAVAILABLE", "Away.", { cause: SECRET })],
    ["data that cannot be used", new AppError("DATA_UNUSABLE", SECRET)],
    ["a fault of ours", new AppError("INTERNAL", SECRET)],
  ])("[H12] /readyz and /metrics reveal %s only to the log", async (_, thrown) => {
    ready = () => Promise.reject(thrown);
    metrics = () => Promise.reject(thrown);
    for (const path of ["/readyz", "/metrics"]) {
      logged = [];
      const { status, body } = await ask(path);
      expect(status).toBeGreaterThanOrEqual(500);
      expect(body).not.toContain(SECRET);
      expect(inspect(logged)).toContain(SECRET);
    }
  });

  test.each<[code: ErrorCode, status: number]>([
    ["UNAUTHENTICATED", 401],
    ["TOKEN_EXPIRED", 401],
    ["FORBIDDEN", 403],
    ["UNAVAILABLE", 503],
  ])("[P3] /metrics answers %s with %i and without figures", async (code, status) => {
    identify = () => Promise.reject(new AppError(code, "Sign in."));
    const answer = await ask("/metrics");
    expect(answer).toMatchObject({ status, body: "Sign in.\n" });
    expect(answer.headers["www-authenticate"]).toBe(status === 401 ? "Bearer" : undefined);
    expect(await ask("/healthz")).toMatchObject({ status: 200 });
    expect(await ask("/readyz")).toMatchObject({ status: 200 });
    expect(logged).toHaveLength(status >= 500 ? 1 : 0);
  });

  test("[P3] /metrics needs the scope operator, which `*` does not include", async () => {
    const me = { ...LOCAL_PRINCIPAL, scopes: ["*", "admin", "tenant"] };
    identify = async () => ({ principal: me, expiresAt: undefined, via: "key" });
    expect(await ask("/metrics")).toMatchObject({ status: 403 });
    me.scopes = ["operator"];
    expect(await ask("/metrics")).toMatchObject({ status: 200, body: "up 1\n" });
  });

  test("/metrics answers with the figures, and its failure affects no other path", async () => {
    const answer = await ask("/metrics");
    expect([answer.headers["content-type"], answer.body]).toEqual([
      "text/plain; version=0.0.4",
      "up 1\n",
    ]);
    metrics = () => Promise.reject(new Error("no figures"));
    expect(await ask("/metrics")).toMatchObject({ status: 500, body: `${FAULT}\n` });
    expect((await ask("/healthz")).status).toBe(200);
  });
});

describe("static sites", () => {
  test("are served with the index of each folder, whether the page is built or not", async () => {
    for (const [path, text] of [
      ["/docs/", 'href="en/start/"'],
      ["/docs/en/start/", "Welcome"],
      ["/docs/en/start", "Welcome"],
      ["/docs/en/start/?x=1", "Welcome"],
    ] as const) {
      const { status, headers, body } = await ask(path);
      expect([path, status, headers["content-type"]]).toEqual([
        path,
        200,
        "text/html;charset=utf-8",
      ]);
      expect(body).toContain(text);
    }
    expect(await ask("/docs")).toMatchObject({
      status: 301,
      headers: { location: "/jobs/docs/" },
    });
  });

  test("that do not exist are not found", async () => {
    for (const path of ["/docs/nope/", "/docs/en/", "/docs/en/start/x.png", "/docs/%00"]) {
      const { status, body } = await ask(path);
      expect([path, status, body]).toEqual([path, 404, "There is no such document.\n"]);
    }
    await build();
    expect((await ask("/docs-of-others/")).body).toContain("<title>Jobwire</title>");
  });

  test.each([
    "/docs/../secret.ts",
    "/docs/..%2fsecret.ts",
    "/docs/%2e%2e/secret.ts",
    "/docs/%252e%252e/secret.ts",
    "/docs/..\\secret.ts",
    "/docs//etc/passwd",
    "/docs/en/../../secret.ts",
    "/../secret.ts",
    "/assets/../../secret.ts",
    "/../../../../../../etc/passwd",
    "/assets/../../../../../../etc/passwd",
    "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
  ])("%s does not lead outside the site", async (path) => {
    await build();
    const { body } = await ask(path);
    expect(body).not.toMatch(/jobwire\.db|root:/);
  });
});

describe("the page", () => {
  test("is revalidated at each request, and its hashed files never", async () => {
    await build();
    const page = await ask("/");
    expect(page).toMatchObject({ status: 200, body: PAGE });
    expect(page.headers["cache-control"]).toBe("no-cache");
    const script = await ask("/assets/app-a1b2.js");
    expect(script.headers).toMatchObject({
      "content-type": "text/javascript",
      "cache-control": "public, max-age=31536000, immutable",
    });
    const again = await ask("/", { headers: { "if-none-match": String(page.headers.etag) } });
    expect([again.status, again.body]).toEqual([304, ""]);
  });

  test("[Z5] sends the copy of a file that its client accepts, by its weights", async () => {
    await build();
    for (const [accepted, coding, sent] of [
      ["gzip, deflate, br", "br", "smallest"],
      ["br;q=0, gzip", "gzip", "small"],
      ["gzip;q=0, br;q=0", undefined, "export {};"],
      ["zebra", undefined, "export {};"],
      ["identity", undefined, "export {};"],
    ] as const) {
      const { headers, body } = await ask("/assets/app-a1b2.js", {
        headers: { "accept-encoding": accepted },
      });
      expect([accepted, headers["content-encoding"], body]).toEqual([accepted, coding, sent]);
      expect(headers).toMatchObject({
        "content-type": "text/javascript",
        "content-length": String(sent.length),
        "cache-control": "public, max-age=31536000, immutable",
        vary: "Origin, Accept-Encoding",
      });
      const again = { "accept-encoding": accepted, "if-none-match": String(headers.etag) };
      const known = await ask("/assets/app-a1b2.js", { headers: again });
      expect([known.status, known.headers.vary]).toEqual([304, "Origin, Accept-Encoding"]);
    }
  });

  test("answers every address of the app, but no missing file", async () => {
    await build();
    for (const path of ["/jobs/123", "/batches", "//", "/a//b", "/%", "/%ff", "/jobs/1?tab=log"]) {
      expect([path, (await ask(path)).body]).toEqual([path, PAGE]);
    }
    for (const path of [
      "/assets/old-0000.js",
      "/assets/",
      "/assets/x",
      "/favicon.ico",
      "/x/y.map",
    ]) {
      const { status, headers } = await ask(path);
      expect([path, status]).toEqual([path, 404]);
      expect(headers["cache-control"]).toBeUndefined();
    }
    expect((await ask("/robots.txt")).body).toBe("User-agent: *");
  });

  test("names the build command until it is built, and is served afterwards", async () => {
    for (const path of ["/", "/jobs/1", "/assets/app-a1b2.js"]) {
      const { status, body } = await ask(path);
      expect([path, status]).toEqual([path, 503]);
      expect(body).toContain("npm run build");
    }
    await build();
    expect((await ask("/")).status).toBe(200);
  });

  test("may be rebuilt while the server runs", async () => {
    await build();
    await ask("/assets/app-a1b2.js");
    await rm(join(clientDir, "assets"), { recursive: true });
    expect((await ask("/assets/app-a1b2.js")).status).toBe(404);
    await rm(join(clientDir, "index.html"));
    expect((await ask("/")).status).toBe(503);
  });

  test("runs only what this server serves", async () => {
    await build();
    const { headers } = await ask("/");
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("connect-src 'self' ws: wss:");
    expect(policy).toContain("frame-ancestors 'self'");
    expect(policy).not.toContain("upgrade-insecure-requests");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers).not.toHaveProperty("strict-transport-security");
    expect(headers).not.toHaveProperty("x-powered-by");
  });
});

describe("requests", () => {
  test("HEAD is answered as GET is, without the body", async () => {
    await build();
    for (const path of ["/", "/healthz", "/metrics", "/docs/", "/assets/app-a1b2.js"]) {
      const [get, head] = [await ask(path), await ask(path, { method: "HEAD" })];
      expect([path, head.status, head.body]).toEqual([path, 200, ""]);
      expect(head.headers["content-type"]).toBe(get.headers["content-type"]);
    }
  });

  test("other methods are refused, and the answer lists the allowed ones", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const { status, headers } = await ask("/healthz", { method });
      expect([method, status, headers.allow]).toEqual([method, 405, "GET, HEAD"]);
    }
  });

  test("a valid or invalid range is answered with the whole file", async () => {
    await build();
    for (const range of ["bytes=5-2", "bytes=0-3", "bytes=-1", "bytes=999-", "lines=1-2", "x"]) {
      const { status, body } = await ask("/", { headers: { range } });
      expect([range, status, body]).toEqual([range, 200, PAGE]);
    }
  });
});

/** Signing in at a real provider where the page is below a path: of its own server, and attached to a program's. */
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { createJobwire } from "#server/jobwire.ts";
import { SignedInSchema } from "#shared/sign-in.schema.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { freePort } from "#test/free-port.ts";
import { startOidcProvider, type TestProvider } from "#test/oidc/provider.fixture.ts";
import { createVisitor, type Visitor } from "#test/oidc/visitor.ts";

const BASE = "/tools/jobs";
const COOKIE = "jobwire+tools+jobs";

let data: TestData;
let provider: TestProvider;
/** The address of the page. */
let url: string;
let visitor: Visitor;
let closing: (() => Promise<unknown>)[];

beforeEach(async () => {
  data = await newTestData();
  visitor = createVisitor();
  closing = [];
});
afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  await provider.stop();
  await data.remove();
});

/** Chooses where the page is, and registers that at the provider. */
async function choosePort(): Promise<number> {
  const port = await freePort();
  url = `http://localhost:${port}${BASE}`;
  provider = await startOidcProvider([url]);
  return port;
}

const envOf = () => ({ ...data.env, LOG_LEVEL: "silent", ...provider.envFor(new URL(url).origin) });

/** Passes requests on, with the path that `pathTo` makes of theirs. */
async function openProxy(
  port: number,
  target: string,
  pathTo: (path: string) => string,
): Promise<void> {
  const { hostname, port: targetPort } = new URL(target);
  const proxy = createServer((req, res) => {
    const asked = request({
      hostname,
      port: targetPort,
      path: pathTo(req.url ?? "/"),
      method: req.method,
      // Any caller can send it. The server does not read it.
      headers: { ...req.headers, "x-forwarded-prefix": "/evil" },
      agent: false,
    });
    asked.on("response", (from) => {
      res.writeHead(from.statusCode ?? 502, from.headers);
      from.pipe(res);
    });
    req.pipe(asked);
  });
  proxy.listen(port, "localhost");
  await once(proxy, "listening");
  closing.push(async () => {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  });
}

async function startApp(port: number): Promise<string> {
  const app = await createApp(loadConfig({ ...envOf(), BASE_PATH: BASE, PORT: String(port) }));
  closing.push(app.close);
  return app.url;
}

async function startAttached(port: number): Promise<string> {
  const jobwire = createJobwire({ kinds: [], env: envOf() });
  const server = createServer((_req, res) => res.writeHead(404).end("The program's."));
  await jobwire.attach(server, { basePath: BASE });
  server.listen(port, "localhost");
  await once(server, "listening");
  closing.push(
    () => new Promise((resolve) => server.close(resolve)),
    jobwire.close,
    async () => server.closeAllConnections(),
  );
  return `http://localhost:${(server.address() as AddressInfo).port}${BASE}`;
}

const cookie = () => visitor.cookies.get("localhost")?.get(COOKIE);

async function me(): Promise<Response> {
  const headers = { cookie: `${COOKIE}=${cookie()}`, "sec-fetch-site": "same-origin" };
  return fetch(`${url}/auth/me`, { headers });
}

describe.each<[string, () => Promise<unknown>]>([
  ["of its own server", async () => startApp(await choosePort())],
  ["attached to a program's server", async () => startAttached(await choosePort())],
  [
    "behind a proxy that keeps the path",
    async () => {
      const port = await choosePort();
      await openProxy(port, await startApp(0), (path) => path);
    },
  ],
  [
    "behind a proxy that removes the path",
    async () => {
      const port = await choosePort();
      await openProxy(port, await startApp(0), (path) => path.slice(BASE.length));
    },
  ],
  [
    "attached to a program's server, behind a proxy that keeps the path",
    async () => {
      const port = await choosePort();
      await openProxy(port, await startAttached(0), (path) => path);
    },
  ],
])("a page below a path, %s", (_, start) => {
  beforeEach(async () => void (await start()));

  test("[P18] a person signs in, returns to the page, and signs out", async () => {
    const start = `${url}/auth/oidc/start?return=${encodeURIComponent("/jobs/new?a=b")}`;
    const asked = await visitor.open(start, { until: provider.issuer });
    const { searchParams } = new URL(asked.headers.location ?? "");
    expect(searchParams.get("redirect_uri")).toBe(`${url}/auth/oidc/callback`);

    const answer = await visitor.logIn(start, "ann", { until: `${url}/jobs` });
    expect([answer.status, answer.headers.location]).toEqual([302, `${url}/jobs/new?a=b`]);
    const set = answer.headers["set-cookie"] ?? [];
    expect(set.at(-1)).toMatch(
      /^jobwire\+tools\+jobs=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    expect(SignedInSchema.parse(await (await me()).json())).toMatchObject({
      user: "ann",
      byCookie: true,
      provider: { name: "Acme ID", url: `${url}/auth/oidc/start` },
    });
    const out = await fetch(`${url}/auth/sign-out`, {
      method: "POST",
      headers: {
        origin: new URL(url).origin,
        cookie: `${COOKIE}=${cookie()}`,
        "content-type": "application/json",
      },
      body: "{}",
    });
    expect(out.status).toBe(200);
    expect(out.headers.getSetCookie()).toEqual([
      `${COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax`,
    ]);
    expect((await me()).status).toBe(401);
  });

  test("[P18] a person who cancels goes on below the path, and no address leads elsewhere", async () => {
    const form = await visitor.open(`${url}/auth/oidc/start?return=%2Fjobs%2Fnew`);
    const { status, text } = await visitor.open(`${form.url}/abort`);
    expect(status).toBe(403);
    expect(text).toContain(`href="${url}/auth/oidc/start?return=%2Fjobs%2Fnew"`);
    expect(text).toContain(`href="${url}/jobs/new"`);
    for (const path of ["//evil.example", "/auth/sign-out", "/x/..//evil.example"]) {
      const bad = await visitor.open(`${url}/auth/oidc/start?return=${encodeURIComponent(path)}`);
      expect([bad.status, bad.url]).toEqual([400, expect.stringContaining(`${url}/auth/`)]);
      expect(bad.text).not.toContain("evil.example");
    }
  });

  test("[P18] a return to the parent of the path stays below the path", async () => {
    const start = `${url}/auth/oidc/start?return=${encodeURIComponent("/../../admin")}`;
    const answer = await visitor.logIn(start, "ann", { until: `${url}/admin` });
    expect(answer.headers.location).toBe(`${url}/admin`);
  });
});

/** Requests of other sites' pages that browsers send without `Origin`, and host names that resolve to this server. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, startServer } from "#e2e/server.ts";
import type { Target } from "./attack.ts";
import { ask } from "./requests.ts";

const UPGRADE = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": Buffer.alloc(16, 1).toString("base64"),
};
const input = encodeURIComponent('{"json":{}}');

/** Routes that carry data. */
const DATA = [
  "/trpc/job.list",
  "/trpc/system.info",
  "/trpc/job.list,job.list?batch=1",
  "/trpc/no.such",
  `/trpc/feed.onUpdate?input=${input}`,
  "/socket.io/?EIO=4&transport=polling",
  "/socket.io/",
];
/** Files, probes, and the page itself. */
const OPEN = ["/", "/healthz", "/readyz", "/metrics", "/samples/", "/socket.io/socket.io.js"];
const SOCKETS = ["/trpc", "/trpc?connectionParams=1", "/socket.io/?EIO=4&transport=websocket"];

/** A server that listens on `HOST`, addressed over the loopback. */
function openServer(env: Record<string, string>) {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({ env });
  });
  afterAll(() => server.stop());
  return async (path: string, headers: Record<string, string>, method?: "POST") => {
    const target: Target = { host: "127.0.0.1", port: Number(new URL(server.url).port) };
    const { status } = await ask(target, path, {
      headers,
      ...(method && { method, body: '{"json":{"kind":"none","input":1}}' }),
      until: /./,
    });
    return status;
  };
}

describe("requests without Origin", () => {
  const statusOf = openServer({});

  describe.each(["cross-site", "same-site", "nonsense", "Same-Origin, cross-site"])(
    "that a browser marks as %s",
    (site) => {
      const headers = { "Sec-Fetch-Site": site };

      test("are refused on paths with data", async () => {
        for (const path of DATA) {
          expect([path, await statusOf(path, headers)]).toEqual([path, 403]);
        }
        for (const mode of ["no-cors", "cors", "navigate"]) {
          const image = { ...headers, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": "image" };
          expect([mode, await statusOf("/trpc/job.list", image)]).toEqual([mode, 403]);
        }
        const body = { ...headers, "Content-Type": "application/json" };
        expect(await statusOf("/trpc/job.create", body, "POST")).toBe(403);
      });

      test("cannot open a socket", async () => {
        for (const path of SOCKETS) {
          expect([path, await statusOf(path, { ...headers, ...UPGRADE })]).toEqual([path, 403]);
        }
      });

      test("may load files and request health probes", async () => {
        for (const path of OPEN) {
          expect([path, await statusOf(path, headers)]).not.toEqual([path, 403]);
        }
      });
    },
  );

  test.each(["same-origin", "none", undefined])("marked %s are served", async (site) => {
    const headers: Record<string, string> = site === undefined ? {} : { "Sec-Fetch-Site": site };
    for (const path of ["/trpc/job.list", "/socket.io/?EIO=4&transport=polling", ...OPEN]) {
      expect([path, await statusOf(path, headers)]).not.toEqual([path, 403]);
    }
  });
});

/** Requests of a page whose host name resolves to this server (DNS rebinding). */
describe.each([
  [
    "0.0.0.0",
    {
      HOST: "0.0.0.0",
      ALLOW_ANONYMOUS: "true",
      ALLOWED_HOSTS: "jobs.example.com,*.inside.example.com",
    },
  ],
  ["the loopback", { HOST: "127.0.0.1", ALLOWED_HOSTS: "jobs.example.com,*.inside.example.com" }],
])("on %s, without authentication", (_where, env) => {
  const statusOf = openServer({ ...env, FRONTEND_URL: "https://app.example.com" });

  test.each([
    "evil.example.com",
    "evil.example.com:8000",
    "jobs.example.com.evil.org",
    "xjobs.example.com",
    "localhost.evil.org",
    "127.0.0.1.evil.org",
    "evil.org#.localhost",
  ])("the host %s is refused", async (host) => {
    for (const path of DATA) {
      expect([path, await statusOf(path, { Host: host })]).toEqual([path, 403]);
    }
    for (const path of SOCKETS) {
      expect([path, await statusOf(path, { Host: host, ...UPGRADE })]).toEqual([path, 403]);
    }
    const same = { Host: host, Origin: `http://${host}`, "Sec-Fetch-Site": "same-origin" };
    expect(await statusOf("/trpc/job.list", same)).toBe(403);
  });

  test.each([
    "localhost",
    "localhost:8000",
    "127.0.0.1:8000",
    "[::1]:8000",
    "jobs.example.com",
    "JOBS.example.com:8443",
    "app.example.com",
  ])("the host %s is served", async (host) => {
    expect(await statusOf("/trpc/job.list", { Host: host })).toBe(200);
  });

  // On the loopback address, no probe uses another host name.
  test.skipIf(env.HOST !== "0.0.0.0")(
    "probes, metrics and samples are open to every host",
    async () => {
      for (const path of ["/healthz", "/readyz", "/metrics", "/samples/"]) {
        expect([path, await statusOf(path, { Host: "probe.cluster.example" })]).toEqual([
          path,
          200,
        ]);
      }
    },
  );
});

import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Access, Transport } from "./contract.ts";
import { mountTransports } from "./mount.ts";
import { createOriginPolicy } from "./requests/origins.ts";
import { MAX_PIPELINED } from "./requests/pipelining.ts";

let server: Server;
let sockets: Duplex[];
let faults: string[];
let reached: string[];

function echo(
  name: string,
  prefix: string,
  extra: Partial<Transport> = {},
  access: Access = "data",
): Transport {
  return {
    name,
    access: (path) => (path.startsWith(prefix) ? access : undefined),
    request(req, res) {
      reached.push(`${name} ${req.method}`);
      res.end(name);
    },
    async close() {},
    ...extra,
  };
}

beforeEach(async () => {
  [sockets, faults, reached] = [[], [], []];
  server = createServer({ connectionsCheckingInterval: 10 });
  const transports = [
    echo("live", "/live", {
      upgrade(_req, socket) {
        reached.push("live upgrade");
        socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
      },
    }),
    echo("broken", "/broken", {
      request(req, res) {
        if (req.url === "/broken/late") res.write("half of ");
        throw new Error(`no ${req.url}`);
      },
      upgrade() {
        throw new Error("no upgrade");
      },
    }),
    echo("rest", "/rest"),
    echo("page", "/page", {}, "page"),
    echo("never", "/never", { request: () => void reached.push("never") }),
  ];
  const origins = createOriginPolicy({
    origins: ["https://*.example.com", "https://app.example.com", "null"],
    host: "127.0.0.1",
    allowedHosts: [],
    authenticated: false,
  });
  mountTransports(server, transports, origins, {
    onFault: (error, path) =>
      void faults.push(`${path}: ${error instanceof Error ? error.message : ""}`),
  });
  server.on("connection", (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  sockets.forEach((socket) => socket.destroy());
  await new Promise((resolve) => server.close(resolve));
});

const port = () => (server.address() as AddressInfo).port;

async function ask(
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<{ res: IncomingMessage; body: string }> {
  return new Promise((resolve, reject) => {
    const req = request({ host: "127.0.0.1", port: port(), path, method, headers }, (res) => {
      let body = "";
      res.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      res.on("end", () => resolve({ res, body })).on("error", reject);
    });
    req.on("error", reject).end();
  });
}

/** Sends text unchanged, and resolves to everything received until the server ends the connection. */
async function send(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    // Never ends its own half of the connection: the server must not wait for that.
    const socket = connect({ port: port(), host: "127.0.0.1", allowHalfOpen: true }, () =>
      socket.write(text),
    );
    socket.setEncoding("utf8").on("data", (chunk: string) => (answer += chunk));
    socket.on("end", () => resolve(answer)).on("error", reject);
  });
}

const upgrade = (path: string, headers: string[] = []) =>
  send(
    [
      `GET ${path} HTTP/1.1`,
      "Host: localhost",
      "Connection: Upgrade",
      "Upgrade: websocket",
      ...headers,
      "",
      "",
    ].join("\r\n"),
  );

describe("requests", () => {
  test("go to the transport of their path, without regard to the query", async () => {
    expect((await ask("/live?x=/rest")).body).toBe("live");
    expect((await ask("/rest/a/b")).body).toBe("rest");
    const { res, body } = await ask("/nowhere");
    expect([res.statusCode, body]).toEqual([404, "There is nothing here.\n"]);
  });

  test("of a foreign page are refused with the reason, whatever the method", async () => {
    for (const method of ["GET", "POST", "OPTIONS"]) {
      const origin = "https://evil.test";
      const { res, body } = await ask("/live", { origin, accept: "text/event-stream" }, method);
      expect([method, res.statusCode]).toEqual([method, 403]);
      expect(body).toBe(
        "The origin https://evil.test may not use this server. Its operator can list it in CORS_ORIGINS.\n",
      );
      expect(res.headers).not.toHaveProperty("access-control-allow-origin");
    }
    expect(reached).toEqual([]);
  });

  test("of a page under a rebound name are refused, with and without an Origin", async () => {
    const { res, body } = await ask("/live", { host: "evil.test:8000" });
    expect(res.statusCode).toBe(403);
    expect(body).toBe('Host "evil.test:8000" is not allowed. Add it to ALLOWED_HOSTS.\n');
    expect(reached).toEqual([]);
  });

  test("that a page of another site embeds are refused for data, whatever the method, and served for other paths", async () => {
    for (const site of ["cross-site", "same-site", "Same-Origin", "same-origin, none", ""]) {
      for (const method of ["GET", "HEAD", "POST", "OPTIONS"]) {
        const { res } = await ask("/live", { "sec-fetch-site": site }, method);
        expect([site, method, res.statusCode]).toEqual([site, method, 403]);
        expect(res.headers).not.toHaveProperty("access-control-allow-origin");
      }
    }
    const { body } = await ask("/live", { "sec-fetch-site": "cross-site" });
    expect(body).toContain('(Sec-Fetch-Site: "cross-site")');
    expect(body).toContain("CORS_ORIGINS");
    expect(reached).toEqual([]);
    expect((await ask("/page", { "sec-fetch-site": "cross-site" })).body).toBe("page");
    for (const site of ["same-origin", "none"]) {
      expect((await ask("/live", { "sec-fetch-site": site })).body).toBe("live");
    }
    const listed = { origin: "https://app.example.com", "sec-fetch-site": "cross-site" };
    expect((await ask("/live", listed)).body).toBe("live");
  });

  test("with contradictory headers about their page are refused", async () => {
    const answer = await send(
      "GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
        "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(reached).toEqual([]);
  });

  test("that are pipelined beyond the limit close the connection", async () => {
    const text = "GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n";
    expect(await send(text + text.repeat(MAX_PIPELINED))).toBe("");
    expect(reached).toEqual(["never"]);
  });

  test("with an expectation count as pipelined too", async () => {
    const text = "GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const expecting = "GET /live HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\n\r\n";
    expect(await send(text + expecting.repeat(MAX_PIPELINED))).toBe("");
    const { res } = await ask("/live", { expect: "tea", connection: "close" });
    expect(res.statusCode).toBe(417);
    expect(reached).toEqual(["never"]);
  });

  test("of listed pages get answers with CORS headers and `Vary`", async () => {
    const { res, body } = await ask("/live", { origin: "https://app.example.com" });
    expect(body).toBe("live");
    expect(res.headers).toMatchObject({
      "access-control-allow-origin": "https://app.example.com",
      vary: "Origin",
    });
    expect((await ask("/live")).res.headers).toMatchObject({ vary: "Origin" });
  });

  test("of our own page and of programs need no permission", async () => {
    for (const headers of [
      {},
      { origin: `http://localhost:${port()}`, host: `localhost:${port()}` },
    ]) {
      const { res, body } = await ask("/live", headers, "POST");
      expect(body).toBe("live");
      expect(res.headers).not.toHaveProperty("access-control-allow-origin");
    }
  });

  test("a listed page may send a preflight", async () => {
    const { res } = await ask("/live", { origin: "https://app.example.com" }, "OPTIONS");
    expect(res.statusCode).toBe(204);
    expect(res.headers).toMatchObject({
      "access-control-allow-origin": "https://app.example.com",
      "access-control-allow-methods": "GET, POST, DELETE, OPTIONS",
      "access-control-allow-headers": expect.stringContaining("authorization, content-type"),
      vary: "Origin, Access-Control-Request-Headers",
    });
    expect(reached).toEqual([]);
  });

  test("a listed page may send every header that its preflight requests", async () => {
    const wanted = "traceparent,x-anything";
    const { res } = await ask(
      "/live",
      { origin: "https://app.example.com", "access-control-request-headers": wanted },
      "OPTIONS",
    );
    expect(res.headers["access-control-allow-headers"]).toBe(wanted);
  });

  test("a page may send cookies if its exact origin is listed", async () => {
    for (const method of ["GET", "OPTIONS"]) {
      const credentials = async (origin: string) => {
        const { res } = await ask("/live", { origin }, method);
        const { headers } = res;
        expect(headers["access-control-allow-origin"]).toBe(origin);
        return headers["access-control-allow-credentials"];
      };
      expect(await credentials("https://app.example.com")).toBe("true");
      expect(await credentials("https://a.example.com")).toBeUndefined();
      expect(await credentials("null")).toBeUndefined();
    }
  });

  test("with a method that `fetch` forbids reach no transport", async () => {
    const answer = await send(
      "TRACE /broken HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 405 /);
    expect(answer).toContain("Allow: GET, HEAD, POST, OPTIONS");
    expect(faults).toEqual([]);
  });

  test("that make a transport throw fail alone", async () => {
    const { res, body } = await ask("/broken");
    expect([res.statusCode, body]).toEqual([
      500,
      "Something went wrong in the server. It was logged; try again.\n",
    ]);
    await expect(ask("/broken/late")).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(faults).toEqual(["/broken: no /broken", "/broken/late: no /broken/late"]);
    expect((await ask("/live")).body).toBe("live");
  });
});

describe("upgrades", () => {
  test("go to the transport of their path", async () => {
    expect(await upgrade("/live?x=1")).toBe("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    expect(reached).toEqual(["live upgrade"]);
  });

  test("that no transport accepts are refused, and the connection ends", async () => {
    for (const path of ["/rest", "/nowhere"]) {
      const answer = await upgrade(path);
      expect(answer).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
      expect(answer).toContain("\r\n\r\nNo WebSocket is served here.");
    }
    for (const socket of sockets) await expect.poll(() => socket.destroyed).toBe(true);
  });

  test("to another protocol are served as requests, also where Node emits them as upgrades", async () => {
    const answer = await send(
      "GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n" +
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n" +
        "GET /rest HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*live[^]*HTTP\/1\.1 200 [^]*rest/);
    expect(reached).toEqual(["live GET", "rest GET"]);
  });

  test("from a page of another site without an Origin are refused, on every path", async () => {
    for (const path of ["/live", "/page"]) {
      const answer = await upgrade(path, ["Sec-Fetch-Site: cross-site"]);
      expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n[^]*Sec-Fetch-Site/);
    }
    expect(await upgrade("/live", ["Sec-Fetch-Site: same-origin"])).toMatch(/^HTTP\/1\.1 101 /);
    expect(reached).toEqual(["live upgrade"]);
  });

  test("with a declared body are refused, even if the body never arrives", async () => {
    for (const [header, body] of [
      ["Content-Length: 5", "hello"],
      ["Content-Length: 5", ""],
      ["Transfer-Encoding: chunked", "0\r\n\r\n"],
    ] as const) {
      const answer = await send(
        `GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${header}\r\n\r\n${body}`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*cannot have a body/);
    }
    expect(await upgrade("/live", ["Content-Length: 0"])).toMatch(/^HTTP\/1\.1 101 /);
    expect(reached).toEqual(["live upgrade"]);
  });

  test("that follow an unanswered request close the connection", async () => {
    const answer = await send(
      "GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n" +
        "GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    expect(answer).toBe("");
    expect(reached).toEqual(["never"]);
  });

  test("of foreign and misnamed pages are refused with the reason", async () => {
    const foreign = await upgrade("/live", ["Origin: https://evil.test"]);
    expect(foreign).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(foreign).toContain("The origin https://evil.test may not use this server.");
    const rebound = await send(
      "GET /live HTTP/1.1\r\nHost: evil.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    expect(rebound).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(reached).toEqual([]);
  });

  test("that make a transport throw fail alone", async () => {
    expect(await upgrade("/broken")).toBe("");
    expect(faults).toEqual(["/broken: no upgrade"]);
    expect((await ask("/live")).body).toBe("live");
  });

  test("whose connection breaks before a transport accepts it affect no other", async () => {
    const taken = new Promise<void>((resolve) => {
      server.prependListener("upgrade", (_req, socket: Duplex) => {
        socket.once("close", resolve);
        queueMicrotask(() => socket.destroy(new Error("the cable was cut")));
      });
    });
    const client = connect({ port: port(), host: "127.0.0.1" });
    client.on("error", () => {});
    client.write(
      "GET /rest HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    await taken;
    client.destroy();
    expect((await ask("/live")).body).toBe("live");
  });
});

describe("text that is not a request", () => {
  test("gets an answer that says so", async () => {
    expect(await send("\u0016\u0003\u0001 this is TLS\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\n[^]*This is not HTTP\.\n$/,
    );
  });

  test("gets 431 if it is only too long", async () => {
    const answer = await send(
      `GET /live?${"x".repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain("16 KiB");
    expect(answer).toContain("\r\nAccess-Control-Allow-Origin: *\r\n");
  });

  test("gets 408 if it arrived too slowly", async () => {
    server.headersTimeout = 1;
    expect(await send("GET /live HTTP/1.1\r\nHost: loc")).toMatch(
      /^HTTP\/1\.1 408 Request Timeout\r\n[^]*did not arrive in time\.\n$/,
    );
  });

  test("may break off at any point", async () => {
    for (const text of ["", "GET", "GET /live HTTP/1.1\r\nHost: loc"]) {
      await new Promise<void>((resolve) => {
        const socket = connect({ port: port(), host: "127.0.0.1" }, () => {
          socket.write(text, () => socket.resetAndDestroy());
        });
        socket.on("close", () => resolve());
      });
    }
    expect((await ask("/live")).body).toBe("live");
  });
});

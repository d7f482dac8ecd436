import type { Duplex } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import type { Access } from "#server/transports/contract.ts";
import { mountTransports } from "#server/transports/mount.ts";
import { createOriginPolicy } from "./origins.ts";
import { openRawServer, type RawServer } from "#test/transports/raw-server.fixture.ts";

const PATHS: Record<string, Access> = { "/data": "data", "/page": "page", "/public": "public" };

let raw: RawServer;
let reached: string[];

/** The rules of a server that other machines reach, although the test's server listens on this machine. */
async function serve(options: { authenticated: boolean }): Promise<void> {
  raw = await openRawServer({ requireHostHeader: false });
  const transport = {
    name: "echo",
    access: (path: string) => PATHS[path],
    request(req, res) {
      reached.push(req.url ?? "");
      res.setHeader("Connection", "close").end("reached");
    },
    upgrade(_req, socket: Duplex) {
      reached.push("upgrade");
      socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    },
    async close() {},
  } satisfies Parameters<typeof mountTransports>[1][number];
  const origins = createOriginPolicy({
    origins: ["https://app.example.com"],
    host: "0.0.0.0",
    allowedHosts: [
      "jobs.example.com",
      "tls.example.com:443",
      "plain.example.com:80",
      "odd.example.com:8443",
    ],
    ...options,
  });
  mountTransports(raw.server, [transport], origins);
}

beforeEach(async () => {
  reached = [];
  await serve({ authenticated: false });
});

const UPGRADE = ["Connection: Upgrade", "Upgrade: websocket"];
const CLOSE = ["Connection: close"];

function ask(target: string, hosts: readonly string[], more: readonly string[] = CLOSE) {
  const headers = hosts.map((host) => `Host:${host}`);
  return raw.send([`GET ${target} HTTP/1.1`, ...headers, ...more, "", ""].join("\r\n"));
}

describe("[H8] a server that others reach and that does not authenticate", () => {
  test.each([
    " 10.1.2.3:8000",
    "[::1]",
    " localhost:8000",
    " jobs.example.com",
    " app.example.com",
    " tls.example.com:443",
    " tls.example.com",
    " plain.example.com",
    " odd.example.com:8443",
  ])("answers Host:%s", async (host) => {
    expect(await ask("/data", [host])).toMatch(/^HTTP\/1\.1 200 [^]*reached$/);
    expect(await ask("/data", [host], UPGRADE)).toMatch(/^HTTP\/1\.1 101 /);
  });

  test.each([
    [" evil.test", "evil.test"],
    [" evil.test:8000", "evil.test:8000"],
    [" 2130706433", "2130706433"],
    [" 0x7f.1", "0x7f.1"],
    [" localhost.", "localhost."],
    [" tls.example.com:80", "tls.example.com:80"],
    [" odd.example.com", "odd.example.com"],
    [" evil.test@localhost", "evil.test@localhost"],
    [" localhost@evil.test", "localhost@evil.test"],
    ["", ""],
    [' "localhost"', String.raw`\"localhost\"`],
  ])("refuses Host:%s with a message that says what to do", async (host, named) => {
    const why = `Host "${named}" is not allowed. Add it to ALLOWED_HOSTS.`;
    for (const path of ["/data", "/page"]) {
      const answer = await ask(path, [host]);
      expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
      expect(answer).toContain(why);
    }
    for (const path of ["/data", "/page", "/public"]) {
      const answer = await ask(path, [host], UPGRADE);
      expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
      expect(answer).toContain(why);
    }
    expect(reached).toEqual([]);
  });

  test("answers any host on paths without data", async () => {
    expect(await ask("/public", [" evil.test"])).toMatch(/reached$/);
    expect(await raw.send("GET /public HTTP/1.0\r\n\r\n")).toMatch(/reached$/);
  });

  test("refuses a request of HTTP/1.0 without a Host", async () => {
    const answer = await raw.send("GET /data HTTP/1.0\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toContain("has no Host header");
    expect(reached).toEqual([]);
  });
});

describe.each([true, false])("where authenticated is %s", (authenticated) => {
  beforeEach(() => serve({ authenticated }));

  test("a request with several Host headers is refused, on every path", async () => {
    for (const hosts of [
      [" localhost", " evil.test"],
      [" evil.test", " localhost"],
      [" localhost", " localhost"],
    ]) {
      for (const path of ["/data", "/page", "/public"]) {
        const answer = await ask(path, hosts);
        expect(answer).toMatch(/^HTTP\/1\.1 400 /);
        expect(answer).toContain("2 Host headers");
        expect(await ask(path, hosts, UPGRADE)).toMatch(/^HTTP\/1\.1 400 /);
      }
    }
    expect(reached).toEqual([]);
  });

  test("a request of HTTP/1.1 without a Host header is refused, on every path", async () => {
    for (const path of ["/data", "/page", "/public"]) {
      expect(await ask(path, [])).toMatch(/^HTTP\/1\.1 400 [^]*no Host header/);
      expect(await ask(path, [], UPGRADE)).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect(reached).toEqual([]);
  });

  test.each([
    ["http://localhost/data", "localhost", "/data"],
    ["HTTP://LOCALHOST/public?a=http://evil.test/", "localhost", "/public?a=http://evil.test/"],
    ["https://localhost:8000/data", "localhost:8000", "/data"],
    ["http://[::1]:8000/data", "[::1]:8000", "/data"],
    ["http://jobs.example.com", "jobs.example.com", "/"],
    ["http://jobs.example.com?a=1", "jobs.example.com", "/?a=1"],
  ])(
    "%s has the host of the Host header, and is served by its path",
    async (target, host, path) => {
      const served = PATHS[path.split("?")[0] ?? ""] !== undefined;
      expect(await ask(target, [` ${host}`])).toMatch(
        served ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 404 /,
      );
      expect(reached).toEqual(served ? [path] : []);
      const answer = await ask(target, [` ${host}`], UPGRADE);
      expect(answer).toMatch(served ? /^HTTP\/1\.1 101 / : /^HTTP\/1\.1 404 /);
    },
  );

  test("[H8] a target that is neither a path nor an address with the Host header's host is refused", async () => {
    for (const target of [
      "http://evil.test/data",
      "http://localhost:8000/data",
      "http://localhost@evil.test/data",
      "http://evil.test@localhost/data",
      "http://localhost.evil.test/data",
      "http://localhost\\@evil.test/data",
      "http://localhost#@evil.test/data",
      "http:///data",
      "http:/data",
      "ftp://localhost/data",
    ]) {
      expect(await ask(target, [" localhost"])).toMatch(/^HTTP\/1\.1 400 /);
      expect(await ask(target, [" localhost"], UPGRADE)).toMatch(/^HTTP\/1\.1 400 /);
    }
    for (const line of ["OPTIONS *", "CONNECT evil.test:443"]) {
      const answer = await raw.send(
        `${line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^(HTTP\/1\.1 400 |$)/);
    }
    expect(reached).toEqual([]);
  });
});

test("[H8] a target in absolute form does not bypass the host check", async () => {
  for (const path of ["/data", "/page"]) {
    const target = `http://evil.test${path}`;
    expect(await ask(target, [" evil.test"])).toMatch(
      /^HTTP\/1\.1 403 [^]*"evil\.test" is not allowed/,
    );
    expect(await ask(target, [" evil.test"], UPGRADE)).toMatch(/^HTTP\/1\.1 403 /);
    expect(await ask(target, [" localhost", " evil.test"])).toMatch(/^HTTP\/1\.1 400 /);
    expect(await ask(target, [])).toMatch(/^HTTP\/1\.1 400 /);
    expect(await raw.send(`GET ${target} HTTP/1.0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  }
  const foreign = ["Origin: https://evil.test", ...CLOSE];
  expect(await ask("http://localhost/data", [" localhost"], foreign)).toMatch(/^HTTP\/1\.1 403 /);
  expect(reached).toEqual([]);
});

test("a server that authenticates answers to every name", async () => {
  await serve({ authenticated: true });
  expect(await ask("/data", [" evil.test"])).toMatch(/reached$/);
  expect(await ask("/data", [" evil.test"], UPGRADE)).toMatch(/^HTTP\/1\.1 101 /);
});

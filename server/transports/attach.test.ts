import { once } from "node:events";
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type ErrorRequestHandler } from "express";
import { Server as SocketIoServer } from "socket.io";
import { io } from "socket.io-client";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import { openRawServer } from "#test/transports/raw-server.fixture.ts";
import { createServer as createHttp2Server, createSecureServer } from "node:http2";
import { connect as connectTo } from "node:net";
import { attach, type Attachment, claim } from "./attach.ts";
import { MAX_LEFT_PATHS, ownedPaths } from "./divided-server.ts";
import type { Handler } from "./handler.ts";
import { createUnavailable } from "./unavailable.ts";

interface Attached extends Attachment {
  /** Requests and upgrades that it was given: `GET /trpc`, `upgrade /trpc`. */
  taken: string[];
}

const sockets = new WebSocketServer({ noServer: true });
sockets.on("connection", echo("jobwire"));

function echo(name: string): (socket: WebSocket) => void {
  return (socket) =>
    void socket.on("message", (data: RawData) => {
      if (data instanceof Buffer) socket.send(`${name} ${data.toString()}`);
    });
}

const encode = (status: number, message: string) => JSON.stringify({ status, message });
const encoders = [{ path: "/trpc", type: "application/json", encode }];
const absent = {
  starting: createUnavailable("starting", encoders),
  closed: createUnavailable("closed", encoders),
};
const claimAt = (server: unknown, basePath = "/jobs") => claim(server, basePath, absent);

/** Answers each request with its address, as it is below the base. */
function attachTo(
  server: Server,
  options: { basePath?: string; handler?: Partial<Handler>; refusal?: string } = {},
): Attached {
  const taken: string[] = [];
  const { basePath, handler, refusal } = options;
  const attachment = attach(
    claimAt(server, basePath),
    {
      request(req, res) {
        taken.push(`${req.method} ${req.url}`);
        req.resume();
        res.end(`jobwire ${req.url}`);
      },
      upgrade(req, socket, head) {
        taken.push(`upgrade ${req.url}`);
        sockets.handleUpgrade(req, socket, head, (opened) => sockets.emit("connection", opened));
      },
      expectation: (req, res) => res.writeHead(417).end(`jobwire ${req.url}`),
      ...handler,
    },
    { refusal: () => refusal, onRequest: () => undefined },
  );
  return Object.assign(attachment, { taken });
}

const host: RequestListener = (req, res) => {
  req.resume();
  res.end(`host ${req.url}`);
};

/** One request, whose answer ends the connection. */
const ask = (target: string, { method = "GET", headers = [] as string[], body = "" } = {}) =>
  [
    `${method} ${target} HTTP/1.1`,
    "Host: localhost",
    "Connection: close",
    ...headers,
    "",
    body,
  ].join("\r\n");
const UPGRADE = ["Upgrade: websocket", "Connection: Upgrade"];
const WEBSOCKET = ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
const upgrade = (target: string) =>
  [`GET ${target} HTTP/1.1`, "Host: localhost", ...UPGRADE, ...WEBSOCKET, "", ""].join("\r\n");

const reportError: ErrorRequestHandler = (error: Error, _req, res, _next) => {
  res.status(500).send(`handled ${error.message}`);
};

const urlOf = (server: Server) => `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** The answer to a WebSocket that says "hello". */
async function heardAt(url: string): Promise<string> {
  const socket = new WebSocket(url);
  await once(socket, "open");
  const received = once(socket, "message");
  socket.send("hello");
  const text = String((await received)[0]);
  socket.terminate();
  return text;
}

describe("the division of a server", () => {
  test.each([
    ["/jobs", "jobwire /"],
    ["/jobs/", "jobwire /"],
    ["/jobs?a=1", "jobwire /?a=1"],
    ["/jobs/trpc/job.get?a=/jobs", "jobwire /trpc/job.get?a=/jobs"],
    ["/jobs//x", "jobwire //x"],
    ["http://localhost/jobs/x?y", "jobwire /x?y"],
    ["HTTP://LOCALHOST/jobs", "jobwire /"],
    ["/", "host /"],
    ["/jobsx", "host /jobsx"],
    ["/jobs.json", "host /jobs.json"],
    ["/Jobs", "host /Jobs"],
    ["//jobs", "host //jobs"],
    ["//jobs/x", "host //jobs/x"],
    ["/x/jobs", "host /x/jobs"],
    ["/./jobs", "host /./jobs"],
    ["/x/../jobs", "host /x/../jobs"],
    ["/%6Aobs/x", "host /%6Aobs/x"],
    ["/jobs%2Fx", "host /jobs%2Fx"],
    ["/jobs;x", "host /jobs;x"],
    ["http://localhost/x", "host http://localhost/x"],
    ["http://elsewhere/jobs", "host http://elsewhere/jobs"],
    ["http://localhost@elsewhere/jobs", "host http://localhost@elsewhere/jobs"],
  ])("%s is answered by: %s", async (target, answer) => {
    const { server, send } = await openRawServer({}, host);
    attachTo(server);
    expect((await send(ask(target))).split("\r\n\r\n")[1]).toContain(answer);
  });

  test.each(["GET", "POST", "PUT", "DELETE", "PATCH", "PROPFIND"])(
    "%s goes by the path alone",
    async (method) => {
      const { server, send } = await openRawServer({}, host);
      const { taken } = attachTo(server);
      await send(ask("/jobs/x", { method }));
      expect(await send(ask("/x", { method }))).toContain("host /x");
      expect(taken).toEqual([`${method} /x`]);
    },
  );

  test("HEAD and OPTIONS go by the path, and OPTIONS * is the program's", async () => {
    const { server, send } = await openRawServer({}, host);
    const { taken } = attachTo(server);
    await send(ask("/jobs", { method: "HEAD" }));
    await send(ask("/jobs/x", { method: "OPTIONS" }));
    expect(await send(ask("*", { method: "OPTIONS" }))).toContain("host *");
    expect(taken).toEqual(["HEAD /", "OPTIONS /x"]);
  });

  test("CONNECT is the program's", async () => {
    const { server, send } = await openRawServer({}, host);
    const { taken } = attachTo(server);
    server.on("connect", (_req, socket) => socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
    expect(await send(ask("jobs:443", { method: "CONNECT" }))).toContain("502");
    expect(taken).toEqual([]);
  });

  test("a body is announced with 100-continue on both sides", async () => {
    const { server, send } = await openRawServer({}, host);
    attachTo(server);
    const options = {
      method: "POST",
      headers: ["Expect: 100-continue", "Content-Length: 2"],
      body: "{}",
    };
    expect(await send(ask("/jobs/x", options))).toMatch(
      /^HTTP\/1.1 100 .*HTTP\/1.1 200 .*jobwire/s,
    );
    expect(await send(ask("/x", options))).toMatch(/^HTTP\/1.1 100 .*HTTP\/1.1 200 .*host/s);
    server.on("checkContinue", (_req, res: ServerResponse) => res.writeHead(413).end("too large"));
    server.on("checkExpectation", (_req, res: ServerResponse) => res.writeHead(417).end("host"));
    expect(await send(ask("/x", options))).toMatch(/^HTTP\/1.1 413/);
    expect(await send(ask("/jobs/x", options))).toMatch(
      /^HTTP\/1.1 100 .*HTTP\/1.1 200 .*jobwire/s,
    );
    const other = { headers: ["Expect: a miracle"] };
    expect(await send(ask("/x", other))).toMatch(/^HTTP\/1.1 417 .*host/s);
    expect(await send(ask("/jobs/x", other))).toMatch(/^HTTP\/1.1 417 .*jobwire/s);
  });

  test("[E1] listeners that are added later see no request below the path", async () => {
    const { server, send } = await openRawServer();
    attachTo(server);
    server.on("request", host);
    expect(await send(ask("/jobs"))).toContain("jobwire /");
    expect(await send(ask("/x"))).toContain("host /x");
  });

  test("two paths of one server have their own handlers, and neither may be within the other", async () => {
    const { server, send } = await openRawServer({}, host);
    const first = attachTo(server, { basePath: "/a" });
    attachTo(server, { basePath: "/ab" });
    expect(await send(ask("/a/x"))).toContain("jobwire /x");
    expect(await send(ask("/ab/y"))).toContain("jobwire /y");
    expect(first.taken).toEqual(["GET /x"]);
    for (const basePath of ["/a", "/a/b", ""]) {
      expect(() => attachTo(server, { basePath })).toThrow(/Another Jobwire has the path "\/a"/);
    }
    await first.detach(0);
    expect(await send(ask("/a/x"))).toContain("503");
    attachTo(server, { basePath: "/a/b" });
    expect(await send(ask("/a/b"))).toContain("jobwire /");
    expect(await send(ask("/a/x"))).toContain("host /a/x");
  });

  test("an app's error handler answers for its own routes alone", async () => {
    const app = express();
    app.get("/broken", () => {
      throw new Error("broken");
    });
    app.use(reportError);
    const { server, send } = await openRawServer({}, app);
    attachTo(server);
    expect(await send(ask("/broken"))).toContain("handled broken");
    expect(await send(ask("/jobs/broken"))).toContain("jobwire /broken");
  });

  test("a refusal names its reason, for requests and upgrades", async () => {
    const { server, send } = await openRawServer({}, host);
    const { taken } = attachTo(server, { refusal: "Not from there." });
    for (const request of [ask("/jobs/x"), upgrade("/jobs/x")]) {
      expect(await send(request)).toMatch(/^HTTP\/1.1 403 .*Not from there\./s);
    }
    expect(await send(ask("/x"))).toContain("host /x");
    expect(taken).toEqual([]);
  });

  test.each([
    ["nothing", undefined],
    ["a function", () => undefined],
    ["another server", { listening: true, close() {} }],
  ])("%s is no server", (_, server) => {
    expect(() => attachTo(server as never)).toThrow(/a server of node:http or node:https/);
  });

  test.each([
    ["of HTTP/2", createHttp2Server()],
    ["of HTTP/2 with TLS", createSecureServer()],
    ["of HTTP/2 that takes HTTP/1.1 too", createSecureServer({ allowHTTP1: true })],
  ])("a server %s is refused, and the message says what to do", (_, server) => {
    expect(() => attachTo(server as never)).toThrow(
      /no server of node:http2.*a proxy in front that speaks HTTP\/2/,
    );
  });
});

describe("upgrades", () => {
  test("[E1] go by the path, also in absolute form", async () => {
    const { server, connect } = await openRawServer({}, host);
    const { taken } = attachTo(server);
    for (const target of ["/jobs/trpc", "http://localhost/jobs/trpc"]) {
      const socket = connect();
      socket.write(upgrade(target));
      expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1.1 101/);
      socket.destroy();
    }
    expect(taken).toEqual(["upgrade /trpc", "upgrade /trpc"]);
  });

  test("without a listener of the program stay requests, as without Jobwire", async () => {
    const { server, send } = await openRawServer({}, host);
    attachTo(server);
    const plain = ask("/x", { headers: UPGRADE });
    expect(await send(plain)).toContain("host /x");
  });

  test("to other protocols than WebSocket are requests below the path", async () => {
    const { server, send } = await openRawServer({}, host);
    const { taken } = attachTo(server);
    await send(ask("/jobs/x", { headers: ["Upgrade: h2c", "Connection: Upgrade, close"] }));
    expect(taken).toEqual(["GET /x"]);
  });

  test.each(["before", "after"])("of the program go on, added %s", async (when) => {
    const { server } = await openRawServer({}, host);
    const own = new WebSocketServer({ noServer: true });
    const listen = () =>
      server.on("upgrade", (req, socket, head) => {
        own.handleUpgrade(req, socket, head, echo("host"));
      });
    if (when === "before") listen();
    attachTo(server);
    if (when === "after") listen();
    expect(await heardAt(`${urlOf(server)}/chat`)).toBe("host hello");
    expect(await heardAt(`${urlOf(server)}/jobs/x`)).toBe("jobwire hello");
  });

  test("go on after the program has removed all listeners of upgrades", async () => {
    const { server } = await openRawServer({}, host);
    attachTo(server);
    server.removeAllListeners("upgrade");
    expect(await heardAt(`${urlOf(server)}/jobs/x`)).toBe("jobwire hello");
    const own = new WebSocketServer({ noServer: true });
    server.on("upgrade", (req, socket, head) => {
      own.handleUpgrade(req, socket, head, echo("host"));
    });
    expect(await heardAt(`${urlOf(server)}/chat`)).toBe("host hello");
  });

  test("[E1] of the program's own Socket.IO go on, and it ends none of Jobwire's", async () => {
    const { server } = await openRawServer({}, host);
    attachTo(server);
    const own = new SocketIoServer(server, { destroyUpgradeTimeout: 10 });
    onTestFinished(() => void own.close());
    own.on("connection", (socket) =>
      socket.on("ask", (answer: (text: string) => void) => answer("host")),
    );
    const client = io(urlOf(server).replace("ws", "http"), { transports: ["websocket"] });
    onTestFinished(() => void client.close());
    const socket = new WebSocket(`${urlOf(server)}/jobs/x`);
    await once(socket, "open");
    expect(await client.emitWithAck("ask")).toBe("host");
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.terminate();
  });

  test("behind a request of the program that has no answer yet end the connection", async () => {
    let answer: ServerResponse | undefined;
    const { server, send } = await openRawServer({}, (_req, res) => {
      answer = res;
    });
    const { taken } = attachTo(server);
    const received = send(`GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n${upgrade("/jobs/x")}`);
    expect(await received).toBe("");
    expect(answer).toBeDefined();
    expect(taken).toEqual([]);
  });

  test("after an answered request of the program on the same connection are taken", async () => {
    const { server, connect } = await openRawServer({}, host);
    attachTo(server);
    const socket = connect();
    socket.write("GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(String((await once(socket, "data"))[0])).toContain("host /first");
    socket.write(upgrade("/jobs/x"));
    expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1.1 101/);
  });
});

describe("requests behind others on a connection", () => {
  test("begin when the program has answered its own before them", async () => {
    let answer: (() => void) | undefined;
    const { server, send } = await openRawServer({}, (_req, res) => {
      answer = () => res.end("host");
    });
    const { taken } = attachTo(server);
    const received = send(`GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n${ask("/jobs/x")}`);
    await vi.waitFor(() => expect(answer).toBeDefined());
    expect(taken).toEqual([]);
    answer?.();
    expect(await received).toMatch(/host.*jobwire \/x/s);
    expect(taken).toEqual(["GET /x"]);
  });

  test("that never begin, because the client left, do not keep it from closing", async () => {
    let started: ServerResponse | undefined;
    const { server, connect } = await openRawServer({}, (_req, res) => {
      started = res;
    });
    const { taken, detach } = attachTo(server);
    const client = connect();
    client.write(`GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n${ask("/jobs/x")}`);
    await vi.waitFor(() => expect(started).toBeDefined());
    client.destroy();
    await vi.waitFor(() => expect(started?.destroyed).toBe(true));
    await detach(0);
    expect(taken).toEqual([]);
  });
});

describe("a claimed path", () => {
  const json = '{"status":503,"message":"Jobwire is starting. Try again."}';

  test("[E7] tells callers to try again, in the form that they read", async () => {
    const { server, send } = await openRawServer({}, host);
    claimAt(server);
    const body = { method: "POST", headers: ["Content-Length: 2"], body: "{}" };
    for (const [request, type, text] of [
      [ask("/jobs"), "text/plain", "Jobwire is starting. Try again.\n"],
      [ask("/jobs/socket.io/?EIO=4"), "text/plain", "Jobwire is starting. Try again.\n"],
      [ask("/jobs/trpcx"), "text/plain", "Jobwire is starting. Try again.\n"],
      [ask("/jobs/trpc"), "application/json", json],
      [ask("/jobs/trpc/job.create?batch=1", body), "application/json", json],
      [upgrade("/jobs/trpc?connectionParams=1"), "application/json", json],
      [upgrade("/jobs/socket.io/"), "text/plain", "Jobwire is starting. Try again.\n"],
    ] as const) {
      const answer = await send(request);
      expect(answer).toMatch(/^HTTP\/1.1 503 .*Retry-After: 1\r\n/s);
      expect(answer).toContain(`Content-Type: ${type}`);
      expect(answer).toContain(text);
    }
    expect(await send(ask("/x"))).toContain("host /x");
  });

  test("[E1] that is given back is the program's again", async () => {
    const { server, send } = await openRawServer({}, host);
    const path = claimAt(server);
    expect(() => claimAt(server, "/jobs/x")).toThrow(/Another Jobwire has the path/);
    path.giveBack();
    expect(await send(ask("/jobs/x"))).toContain("host /jobs/x");
    const next = claimAt(server);
    // It no longer has what another one took.
    path.giveBack();
    expect(await send(ask("/jobs/x"))).toContain("503");
    next.giveBack();
  });

  test("[E7] that was closed is another one's as soon as that claims it", async () => {
    const { server, send } = await openRawServer({}, host);
    const { detach } = attachTo(server);
    await detach(0);
    expect(ownedPaths(server)).toEqual([]);
    expect(await send(ask("/jobs/x"))).toMatch(/^HTTP\/1.1 503 .*Jobwire is closed/s);
    attachTo(server);
    expect(await send(ask("/jobs/x"))).toContain("jobwire /x");
  });

  test("that was closed is given back when very many others were", async () => {
    const { server, send } = await openRawServer({}, host);
    for (let index = 0; index <= MAX_LEFT_PATHS; index += 1) claimAt(server, `/${index}`).close();
    expect(await send(ask("/0"))).toContain("host /0");
    expect(await send(ask("/1"))).toContain("503");
    expect(await send(ask(`/${MAX_LEFT_PATHS}`))).toContain("503");
  });
});

/** As before Node 24.9: `attach` finds no callback. Node itself has one, which emits each upgrade that has a listener. */
function hideUpgradeCallback(server: Server, whileHidden: () => void): void {
  const shown = Object.getOwnPropertyDescriptor(server, "shouldUpgradeCallback");
  if (shown === undefined) return whileHidden();
  Object.defineProperty(server, "shouldUpgradeCallback", { configurable: true, value: undefined });
  whileHidden();
  Object.defineProperty(server, "shouldUpgradeCallback", shown);
}

async function openOld(listener: RequestListener = host) {
  const raw = await openRawServer({}, listener);
  let taken: string[] = [];
  hideUpgradeCallback(raw.server, () => ({ taken } = attachTo(raw.server)));
  return { ...raw, taken };
}

describe("offers of an upgrade, where Node does not ask whether to take them", () => {
  const H2C = ["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk"];
  const first = (target: string, headers: string[] = H2C) =>
    [`GET ${target} HTTP/1.1`, "Host: localhost", ...headers, "", ""].join("\r\n");

  test("[E1] without a listener of the program stay requests, and their connection goes on", async () => {
    const heads: unknown[] = [];
    const { connect } = await openOld((req, res) => {
      heads.push(req.rawHeaders);
      res.end(`host ${req.url}`);
    });
    const socket = connect();
    for (const path of ["/x?a=b", "/y", "/jobs/z"]) {
      socket.write(first(path));
      const answer = String((await once(socket, "data"))[0]);
      expect(answer).toContain(path === "/jobs/z" ? "jobwire /z" : `host ${path}`);
    }
    expect(heads[0]).toEqual(["Host", "localhost", ...H2C.slice(1).flatMap((h) => h.split(": "))]);
  });

  test("[E1] with a listener of the program are its upgrades", async () => {
    const { server, send, taken } = await openOld();
    server.on("upgrade", (req, socket) => socket.end(`HTTP/1.1 101 X\r\n\r\nhost ${req.url}`));
    expect(await send(first("/x"))).toContain("host /x");
    expect(taken).toEqual([]);
  });

  test("below the path are requests, unless a WebSocket is offered", async () => {
    const { server, send, taken } = await openOld();
    expect(await send(`${first("/jobs/x")}${ask("/jobs/y")}`)).toMatch(/jobwire \/x.*jobwire \/y/s);
    expect(taken).toEqual(["GET /x", "GET /y"]);
    expect(await heardAt(`${urlOf(server)}/jobs/z`)).toBe("jobwire hello");
  });

  test("of a WebSocket are taken after the program has removed all listeners of upgrades", async () => {
    const { server, connect } = await openOld();
    const socket = connect();
    socket.write("GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(String((await once(socket, "data"))[0])).toContain("host /first");
    server.removeAllListeners("upgrade");
    expect(await heardAt(`${urlOf(server)}/jobs/x`)).toBe("jobwire hello");
    // On a connection that was open before, too.
    server.removeAllListeners("upgrade");
    socket.write("GET /second HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(String((await once(socket, "data"))[0])).toContain("host /second");
    socket.write(upgrade("/jobs/x"));
    expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1.1 101/);
  });

  test("behind a request that has no answer yet end the connection", async () => {
    const { send } = await openOld(() => undefined);
    expect(await send(`GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n${first("/x")}`)).toBe("");
  });

  test("go on after a part of the head came later, and with a connection that breaks", async () => {
    const { server, connect } = await openOld();
    const socket = connect();
    const text = first("/x");
    socket.write(text.slice(0, 30));
    await vi.waitFor(async () => {
      const count = await new Promise((resolve) =>
        server.getConnections((_error, open) => resolve(open)),
      );
      expect(count).toBe(1);
    });
    socket.write(text.slice(30));
    expect(String((await once(socket, "data"))[0])).toContain("host /x");
    socket.destroy();
    const broken = connectTo((server.address() as AddressInfo).port, "127.0.0.1");
    broken.write(first("/y"));
    broken.resetAndDestroy();
    expect(await heardAt(`${urlOf(server)}/jobs/z`)).toBe("jobwire hello");
  });
});

describe("detaching", () => {
  test("[E7] waits for requests under way, and tells others at once that it is closed", async () => {
    let answer: (() => void) | undefined;
    const { server, send } = await openRawServer({}, host);
    const { detach } = attachTo(server, {
      handler: { request: (_req, res) => void (answer = () => res.end("late")) },
    });
    const received = send(ask("/jobs/slow"));
    await vi.waitFor(() => expect(answer).toBeDefined());
    const detached = detach(60_000);
    expect(await send(ask("/jobs/x"))).toMatch(/^HTTP\/1.1 503 .*Jobwire is closed/s);
    expect(await send(ask("/x"))).toContain("host /x");
    answer?.();
    await detached;
    expect(await received).toContain("late");
  });

  test("cuts off what takes longer", async () => {
    const { server, send } = await openRawServer({}, host);
    const taken: string[] = [];
    const { detach } = attachTo(server, {
      handler: { request: (req) => void taken.push(String(req.url)) },
    });
    const received = send(ask("/jobs/slow"));
    await vi.waitFor(() => expect(taken).toEqual(["/slow"]));
    await detach(1);
    expect(await received).toBe("");
  });

  test("from a server that never listened, or that has closed, ends", async () => {
    expect(await attachTo(createServer(host)).detach(60_000)).toBeUndefined();
    const { server } = await openRawServer({}, host);
    const { detach } = attachTo(server);
    await new Promise((resolve) => server.close(resolve));
    await detach(60_000);
  });
});

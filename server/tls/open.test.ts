import { once } from "node:events";
import { get } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import nodeTls, {
  connect as connectSecurely,
  type ConnectionOptions,
  type TLSSocket,
} from "node:tls";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import type { Transport } from "#server/transports/contract.ts";
import { mountTransports } from "#server/transports/mount.ts";
import { createOriginPolicy } from "#server/transports/requests/origins.ts";
import { createPair, type TestPair, writePair } from "#test/tls/certificate.fixture.ts";
import { floodWithKeyUpdates } from "#test/tls/key-updates.ts";
import { openTls } from "./open.ts";

let pair: TestPair;
beforeAll(async () => {
  pair = await createPair({ days: 90 });
});

/** More than the kernel holds for a client that does not read. */
const LARGE = Buffer.alloc(16 * 2 ** 20);
const HELLO: Transport = {
  name: "hello",
  access: () => "public",
  request: ({ url }, res) => void (url === "/large" ? res.write(LARGE) : res.end("hello")),
  close: async () => {},
};
const ORIGINS = createOriginPolicy({
  origins: [],
  host: "127.0.0.1",
  allowedHosts: [],
  authenticated: false,
});

/** A server that answers "hello", with a short time for handshakes, in which a busy machine finishes those of good clients. */
async function open(handshakeTimeoutMs = 1500) {
  const logged: { level: string; code: unknown }[] = [];
  const logAs = (level: string) => (facts: { code?: unknown }) =>
    void logged.push({ level, code: facts.code });
  const log = { debug: logAs("debug"), info: logAs("info"), warn: logAs("warn") };
  const tls = await openTls(await writePair(pair), log, handshakeTimeoutMs);
  if ("problems" in tls) throw new Error(tls.problems.join("\n"));
  const server = tls.createServer({});
  const accepted: Socket[] = [];
  server.on("connection", (socket) => accepted.push(socket));
  // With the answers to malformed requests, which must not answer clients without TLS.
  mountTransports(server, [HELLO], ORIGINS);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    tls.destroyConnections();
    await closed;
  });

  const at = { port, host: "127.0.0.1" };
  return {
    tls,
    port,
    server,
    logged,
    accepted,
    /** A connection without TLS. */
    connect(): Socket {
      const socket = connect(at);
      socket.on("error", () => {});
      onTestFinished(() => void socket.destroy());
      return socket;
    },
    connectSecurely(options: ConnectionOptions = {}): TLSSocket {
      const socket = connectSecurely({ ...at, ca: pair.cert, ...options });
      onTestFinished(() => void socket.destroy());
      return socket;
    },
    /** Resolves to the answer of a well-behaved client. */
    async ask(): Promise<string> {
      const [res] = await once(get({ ...at, ca: pair.cert, agent: false }), "response");
      return (await res.toArray()).join("");
    },
  };
}

/** The beginning of a TLS handshake, as a client sends it first. */
async function clientHello(): Promise<Buffer> {
  const { server, accepted, connectSecurely: dial } = await open();
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => accepted.push(socket));
  dial().on("error", () => {});
  await vi.waitFor(() => expect(accepted).toHaveLength(1));
  const [socket] = accepted as [Socket];
  const [hello] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return hello;
}

/** As the options `--tls-min-v1.0` and `--tls-cipher-list` of Node set it: OpenSSL itself would then allow TLS 1.0. */
function allowWeakTls(): void {
  const { DEFAULT_MIN_VERSION: version, DEFAULT_CIPHERS: ciphers } = nodeTls;
  nodeTls.DEFAULT_MIN_VERSION = "TLSv1";
  nodeTls.DEFAULT_CIPHERS = "ALL:@SECLEVEL=0";
  onTestFinished(() => {
    nodeTls.DEFAULT_MIN_VERSION = version;
    nodeTls.DEFAULT_CIPHERS = ciphers;
  });
}

test.each([["TLSv1.2"], ["TLSv1.3"]] as const)("[T1] %s is spoken", async (version) => {
  const { connectSecurely: dial } = await open();
  const socket = dial({ minVersion: version, maxVersion: version });
  await once(socket, "secureConnect");
  expect(socket.getProtocol()).toBe(version);
});

test.each([["TLSv1"], ["TLSv1.1"]] as const)("[T1] %s is refused", async (version) => {
  allowWeakTls();
  const { connectSecurely: dial, ask } = await open();
  const socket = dial({ minVersion: version, maxVersion: version });
  const connected = new Promise((resolve) => socket.once("secureConnect", resolve));
  const [error] = (await Promise.race([
    once(socket, "error"),
    connected.then(() => []),
  ])) as Error[];
  expect(error).toMatchObject({ code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" });
  expect(await ask()).toBe("hello");
});

test.each<[what: string, send: (socket: Socket, hello: Buffer) => void]>([
  ["is silent", () => {}],
  ["sends half a handshake", (socket, hello) => void socket.write(hello.subarray(0, 60))],
  [
    "sends a handshake byte by byte",
    (socket, hello) => {
      let sent = 0;
      const timer = setInterval(() => socket.write(hello.subarray(sent, (sent += 1))), 20);
      socket.once("close", () => clearInterval(timer));
    },
  ],
  ["answers nothing to the server's part", (socket, hello) => void socket.write(hello)],
  ["sends garbage", (socket) => void socket.write("x".repeat(1000))],
  ["speaks plain HTTP", (socket) => void socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")],
  [
    "sends a record of TLS that is none",
    (socket) => void socket.write(Buffer.from("160301ffff", "hex")),
  ],
])("[T1] a client that %s is disconnected, and others are served", async (_what, send) => {
  const hello = await clientHello();
  const { connect: dial, ask, logged, accepted } = await open();
  const socket = dial();
  const received: Buffer[] = [];
  socket.on("data", (bytes: Buffer) => received.push(bytes));
  send(socket, hello);
  expect(await ask()).toBe("hello");
  await vi.waitFor(() => expect(socket.closed).toBe(true));
  expect(Buffer.concat(received).toString("latin1")).not.toContain("HTTP/");
  await vi.waitFor(() => expect(accepted.map(({ destroyed }) => destroyed)).not.toContain(false));
  expect(await ask()).toBe("hello");
  expect(logged).toEqual([{ level: "debug", code: expect.any(String) }]);
});

test("[T1] a client that leaves in the middle of its handshake ends nothing else", async () => {
  const hello = await clientHello();
  const { connect: dial, ask } = await open();
  for (const length of [0, 1, 60, hello.length]) {
    const socket = dial();
    await once(socket, "connect");
    socket.write(hello.subarray(0, length));
    socket.resetAndDestroy();
  }
  expect(await ask()).toBe("hello");
});

test("[H3] a client cannot renegotiate, which would keep the server from writing", async () => {
  const { connectSecurely: dial } = await open();
  const socket = dial({ maxVersion: "TLSv1.2" });
  await once(socket, "secureConnect");
  const failed = new Promise((resolve) => {
    socket.on("error", resolve);
    socket.renegotiate({}, resolve);
  });
  expect(await failed).toMatchObject({ code: expect.stringMatching(/NO_RENEGOTIATION/) });
});

test("[H3] a client that asks for new keys without end, and reads nothing, is disconnected", async () => {
  const { port, logged, ask } = await open();
  await floodWithKeyUpdates(port, pair.cert, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect(logged).toEqual([{ level: "debug", code: undefined }]);
  expect(await ask()).toBe("hello");
});

test("a client that is only slow to read a large answer is not disconnected", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const { connectSecurely: dial, server, logged } = await open();
  const socket = dial();
  await once(socket, "secureConnect");
  socket.pause();
  socket.write("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const [{ socket: served }] = (await once(server, "request")) as [{ socket: TLSSocket }];
  await new Promise((resolve) => setImmediate(resolve));
  vi.advanceTimersByTime(10_000);
  vi.useRealTimers();
  expect(served.writableLength).toBeGreaterThan(LARGE.length / 2);
  let received = 0;
  socket.on("data", (bytes: Buffer) => (received += bytes.length));
  socket.resume();
  await vi.waitFor(() => expect(received).toBeGreaterThan(LARGE.length));
  expect(logged).toEqual([]);
});

test("connections that have not finished their handshake can be destroyed", async () => {
  const { connect: dial, tls, accepted } = await open(60_000);
  const socket = dial();
  await vi.waitFor(() => expect(accepted).toHaveLength(1));
  tls.destroyConnections();
  await vi.waitFor(() => expect(socket.closed).toBe(true));
});

/** Requests that are too long, too slow or broken, and the answers that pages can read. */
import type { IncomingMessage, ServerOptions, ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { answerClientErrors } from "./client-errors.ts";
import type { Transport } from "#server/transports/contract.ts";
import { HEAD_OPTIONS, MAX_HEAD_BYTES, MAX_READ_HEAD_BYTES } from "./head-limit.ts";
import { mountTransports } from "#server/transports/mount.ts";
import { createOriginPolicy } from "./origins.ts";
import { createPipeline } from "./pipelining.ts";
import { requestTimeouts } from "./request-timeouts.ts";
import { openRawServer } from "#test/transports/raw-server.fixture.ts";

const PAGE = "https://app.example.com";
const HOST = "Host: localhost\r\n";
const ORIGIN = `Origin: ${PAGE}\r\n`;

function whenRead(req: IncomingMessage, res: ServerResponse): void {
  req.on("error", () => undefined).on("end", () => res.end("calls"));
  req.resume();
}

function transport(
  path: string,
  request: Transport["request"],
  extra: Partial<Transport> = {},
): Transport {
  return {
    name: path,
    access: (asked) => (asked.startsWith(path) ? "data" : undefined),
    request,
    async close() {},
    ...extra,
  };
}

/** `/calls` answers in JSON after it has read the body; `/page` answers at once. */
async function serve(options: ServerOptions = {}) {
  const raw = await openRawServer({ ...HEAD_OPTIONS, ...options });
  const waiting: ServerResponse[] = [];
  const transports = [
    transport("/page", (_req, res) => void res.end("page")),
    transport("/calls", whenRead, {
      refusal: (status, message) => JSON.stringify({ error: { status, message } }),
    }),
    transport("/slow", (_req, res) => void waiting.push(res)),
    transport("/stream", (_req, res) => {
      waiting.push(res);
      res.writeHead(200).write("begun,");
    }),
    transport("/early", (_req, res) => void res.writeHead(413).end("early")),
  ];
  const origins = createOriginPolicy({
    origins: [PAGE, "null"],
    host: "127.0.0.1",
    allowedHosts: [],
    authenticated: false,
  });
  mountTransports(raw.server, transports, origins);
  return { ...raw, waiting };
}

/** Sends text in packets of `size`. The server has read each packet before the next one is sent. */
async function sendPieces(
  { server }: Awaited<ReturnType<typeof serve>>,
  text: string,
  size: number,
): Promise<string> {
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  let answer = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (answer += chunk));
  const theirs = await accepted;
  for (let sent = 0; sent < text.length && !theirs.destroyed;) {
    const piece = text.slice(sent, sent + size);
    socket.write(piece, "latin1");
    sent += piece.length;
    const isRead = () => theirs.destroyed || theirs.bytesRead >= sent;
    await expect.poll(isRead, { interval: 1, timeout: 120_000 }).toBe(true);
  }
  await expect.poll(() => answer, { interval: 1, timeout: 120_000 }).toMatch(/\r\n\r\n[^]*[\n}]$/);
  return answer;
}

const tooLong = (headers = HOST + ORIGIN) =>
  `GET /calls/a?${"x".repeat(MAX_HEAD_BYTES + 4000)} HTTP/1.1\r\n${headers}\r\n`;
const LARGE_COOKIE = `GET /calls/a HTTP/1.1\r\n${HOST}${ORIGIN}Cookie: ${"a".repeat(20_000)}\r\n\r\n`;
/** Returns a head for which Node counts this many bytes. */
function ofLength(length: number): string {
  const counted = "/page?HostlocalhostConnectionclose".length;
  const address = `/page?${"x".repeat(length - counted)}`;
  return `GET ${address} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
}
const EXACT = `\r\nAccess-Control-Allow-Origin: ${PAGE}\r\nAccess-Control-Allow-Credentials: true\r\n`;

describe("a request that is longer than the limit", () => {
  test.each([
    ["in one packet", tooLong(), 1e9],
    ["in packets of 1460 bytes", tooLong(), 1460],
    ["in packets of 8192 bytes", tooLong(), 8192],
    ["because of a cookie, in packets", LARGE_COOKIE, 1460],
    ["after another request", `GET /page HTTP/1.1\r\n${HOST}\r\n${tooLong()}`, 1e9],
    ["after another request, in packets", `GET /page HTTP/1.1\r\n${HOST}\r\n${tooLong()}`, 1460],
    ["as a POST", tooLong().replace("GET", "POST"), 1460],
  ])("%s gets an answer that its client and its page can read", async (_how, text, size) => {
    const answer = (await sendPieces(await serve(), text, size)).replace(/^[^]*(?=HTTP)/, "");
    expect(answer).toMatch(/^HTTP\/1\.1 431 [^]*\r\nContent-Type: application\/json\r\n/);
    expect(answer).toContain(EXACT);
    expect(answer).toMatch(/\{"error":\{"status":431,"message":"[^"]*16 KiB[^"]*"\}\}/);
  });

  test("may be one byte longer than the longest that is served", async () => {
    const server = await serve();
    expect(await server.send(ofLength(MAX_HEAD_BYTES - 1))).toMatch(/^HTTP\/1\.1 200 /);
    expect(await server.send(ofLength(MAX_HEAD_BYTES))).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("costs the connection no other request", async () => {
    const last = `GET /page HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
    expect(await (await serve()).send(tooLong() + last)).toMatch(
      /^HTTP\/1\.1 431 [^]*HTTP\/1\.1 200 [^]*page/,
    );
  });

  test("from a foreign page is refused, and the answer to `null` allows no cookies", async () => {
    const server = await serve();
    const from = (origin: string) =>
      server.send(tooLong(`${HOST}Connection: close\r\nOrigin: ${origin}\r\n`));
    expect(await from("https://evil.test")).toMatch(/^HTTP\/1\.1 403 /);
    const answer = await from("null");
    expect(answer).toMatch(/^HTTP\/1\.1 431 [^]*\r\nAccess-Control-Allow-Origin: null\r\n/);
    expect(answer).not.toContain("Allow-Credentials");
  });

  test("may have a preflight", async () => {
    const text = tooLong(`${HOST}${ORIGIN}Connection: close\r\n`).replace("GET", "OPTIONS");
    expect(await (await serve()).send(text)).toMatch(/^HTTP\/1\.1 204 /);
  });

  test("for an upgrade is refused", async () => {
    const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    expect(await (await serve()).send(tooLong(HOST + upgrade))).toMatch(
      /^HTTP\/1\.1 431 [^]*16 KiB/,
    );
  });

  test.each([1e9, 8192])(
    "[H4] is not read to its end if it is much longer, in packets of %d bytes",
    async (size) => {
      const server = await serve();
      const text = `GET /calls?${"x".repeat(MAX_READ_HEAD_BYTES)}`;
      const answer = await sendPieces(server, text, size);
      expect(answer).toMatch(/^HTTP\/1\.1 431 [^]*\{"error":\{"status":431,"message":"[^"]*16 KiB/);
      expect(answer).toContain("\r\nAccess-Control-Allow-Origin: *\r\n");
    },
  );

  test("[H4] is one with more than a thousand headers, too", async () => {
    const headers = "a:b\r\n".repeat(1001);
    const answer = await (await serve()).send(`GET /page HTTP/1.1\r\n${HOST}${headers}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 [^]*more than 1,000/);
  });
});

const POST = `POST /calls HTTP/1.1\r\n${HOST}${ORIGIN}`;
const CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";

describe("a request whose body cannot be read", () => {
  test.each([
    ["in chunks that are none", `${CHUNKED}tea\r\n`, 400, "chunks"],
    ["that does not come in time", "Content-Length: 9\r\n\r\nhalf", 408, "in time"],
  ])(
    "%s gets an answer that its client and its page can read",
    async (_how, rest, status, word) => {
      const { send } = await serve(requestTimeouts(100));
      const answer = await send(POST + rest);
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(answer).toMatch(/\r\nConnection: close\r\n/i);
      expect(answer).toContain(EXACT);
      expect(answer).toMatch(
        new RegExp(`\\{"error":\\{"status":${status},"message":"[^"]*${word}`),
      );
      expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    },
  );

  test("because its sender ends it gets an answer", async () => {
    const { connect: open } = await serve();
    let answer = "";
    const socket = open().on("data", (chunk) => (answer += String(chunk)));
    socket.end(`${POST}Content-Length: 9\r\n\r\nhalf`);
    await new Promise((resolve) => socket.once("close", resolve));
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*breaks off/);
  });

  test.each([
    [
      "that was answered before",
      `POST /early HTTP/1.1\r\n${HOST}${CHUNKED}tea\r\n`,
      /^HTTP\/1\.1 413 /,
    ],
    ["whose answer has begun", `POST /stream HTTP/1.1\r\n${HOST}${CHUNKED}tea\r\n`, /^$|begun,/],
    ["whose turn has not come", `GET /slow HTTP/1.1\r\n${HOST}\r\n${POST}${CHUNKED}tea\r\n`, /^$/],
  ])("%s costs the connection, and gets no second answer", async (_when, text, expected) => {
    const answer = await (await serve()).send(text);
    expect(answer).toMatch(expected);
    expect(answer).not.toMatch(/400|HTTP\/1\.1[^]*HTTP\/1\.1/);
  });
});

describe("text that is not a request", () => {
  test("gets an answer that each client can read", async () => {
    expect(await (await serve()).send("tea\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 400 [^]*application\/json[^]*"message":"This is not HTTP\."/,
    );
  });

  test.each(["/slow", "/stream"])("is answered after the earlier request to %s", async (path) => {
    const { connect: open, waiting } = await serve();
    let answer = "";
    const socket = open().on("data", (chunk) => (answer += String(chunk)));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write(`GET ${path} HTTP/1.1\r\n${HOST}\r\ntea\r\n\r\n`);
    await expect.poll(() => waiting.length).toBe(1);
    socket.write("more tea\r\n\r\n");
    waiting[0]?.end("whole.");
    await closed;
    expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*whole\.[^]*HTTP\/1\.1 400 [^]*not HTTP/);
    expect(answer.match(/ 400 /g)).toHaveLength(1);
  });

  test("[H5] waits for its turn once, however long it is", async () => {
    const { server, connect: open } = await openRawServer();
    const pipeline = createPipeline();
    let waiting = 0;
    const after = () => (waiting += 1);
    answerClientErrors(server, {
      pipeline: { ...pipeline, after },
      transports: [],
      transportOf: () => undefined,
    });
    let errors = 0;
    server.on("clientError", () => (errors += 1));
    const socket = open();
    for (let packets = 1; packets <= 5; packets++) {
      socket.write("tea\r\n\r\n");
      await expect.poll(() => errors).toBe(packets);
    }
    expect(waiting).toBe(1);
  });
});

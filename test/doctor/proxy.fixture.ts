/** For tests: a reverse proxy that has one fault, as real ones have it. */
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type RequestListener,
} from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { type Duplex, pipeline } from "node:stream";
import { constants, createBrotliCompress, createGzip } from "node:zlib";
import { onTestFinished } from "vitest";
import type { TestPair } from "#test/tls/certificate.fixture.ts";

const COMPRESSORS = {
  gzip: (flushes: boolean) =>
    createGzip({ flush: flushes ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH }),
  br: (flushes: boolean) =>
    createBrotliCompress({
      flush: flushes ? constants.BROTLI_OPERATION_FLUSH : constants.BROTLI_OPERATION_PROCESS,
    }),
};

export interface Faults {
  /** Passes upgrades on as requests, without `Upgrade`. */
  dropsUpgrade?: boolean;
  /** Answers upgrades itself. */
  answersUpgrade?: { status: number; body: string };
  /** Accepts upgrades and passes nothing on. */
  swallowsMessages?: boolean;
  /** Passes an answer on when it has ended. */
  buffers?: boolean;
  /** Compresses event streams, and passes them on at once, or when there is enough of them. */
  compresses?: { coding: "gzip" | "br"; passesOn: "at once" | "later" } | undefined;
  /** Cuts a connection on which nothing has come for so long, in milliseconds. */
  idleMs?: number;
  /** Tells the server this name in place of the client's. */
  host?: string;
  /** Answers larger bodies with 413. */
  maxBodyBytes?: number;
  /** Answers longer addresses with 414. */
  maxAddressChars?: number;
  /** Changes the headers of each answer. */
  answerHeaders?: (headers: OutgoingHttpHeaders, path: string) => void;
  /** Changes the headers of each request. */
  requestHeaders?: (headers: OutgoingHttpHeaders) => void;
  /** Answers these paths itself. */
  answers?: (
    path: string,
  ) => { status: number; headers?: OutgoingHttpHeaders; body: string } | undefined;
  tls?: TestPair;
}

/** `targets`: addresses of servers, which take turns. Resolves to the address of the proxy, which is closed after the test. */
export async function openProxy(targets: readonly string[], faults: Faults = {}): Promise<string> {
  const { tls, idleMs = 0 } = faults;
  let turn = 0;
  const next = () => new URL(targets[turn++ % targets.length] ?? "");

  function headersFor(req: IncomingMessage): OutgoingHttpHeaders {
    const headers: OutgoingHttpHeaders = { ...req.headers };
    if (faults.host !== undefined) headers.host = faults.host;
    if (faults.compresses !== undefined) delete headers["accept-encoding"];
    faults.requestHeaders?.(headers);
    return headers;
  }

  const forward: RequestListener = (req, res) => {
    const path = req.url ?? "/";
    const own = faults.answers?.(path);
    const isLong = path.length > (faults.maxAddressChars ?? Infinity);
    const isLarge = Number(req.headers["content-length"] ?? 0) > (faults.maxBodyBytes ?? Infinity);
    const answer = own ?? (isLong ? TOO_LONG : isLarge ? TOO_LARGE : undefined);
    if (answer !== undefined) {
      req.resume();
      return void res.writeHead(answer.status, answer.headers).end(answer.body);
    }
    const headers = headersFor(req);
    for (const name of ["upgrade", "connection"]) delete headers[name];
    const { hostname, port } = next();
    const call = request({ hostname, port, path, method: req.method, headers, agent: false });
    call.on("error", () => res.destroy());
    call.on("response", (response) => {
      const got: OutgoingHttpHeaders = { ...response.headers };
      faults.answerHeaders?.(got, path);
      const isStream = response.headers["content-type"] === "text/event-stream";
      if (isStream && faults.compresses !== undefined) {
        const { coding, passesOn } = faults.compresses;
        res.writeHead(response.statusCode ?? 502, { ...got, "content-encoding": coding });
        pipeline(response, COMPRESSORS[coding](passesOn === "at once"), res, () => undefined);
        return;
      }
      if (faults.buffers !== true) {
        res.writeHead(response.statusCode ?? 502, got);
        response.pipe(res);
        return;
      }
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", () => res.destroy());
      response.on("end", () => {
        res.writeHead(response.statusCode ?? 502, got).end(Buffer.concat(chunks));
      });
    });
    req.pipe(call);
    res.on("close", () => call.destroy());
  };

  function upgrade(req: IncomingMessage, near: Duplex, head: Buffer): void {
    near.on("error", () => undefined);
    const own = faults.answersUpgrade;
    if (own !== undefined) {
      near.end(`HTTP/1.1 ${own.status} X\r\nContent-Length: ${own.body.length}\r\n\r\n${own.body}`);
      return;
    }
    const { hostname, port } = next();
    const far = connect(Number(port), hostname, () => {
      const lines = Object.entries(headersFor(req)).map(
        ([name, value]) => `${name}: ${String(value)}`,
      );
      far.write(`${req.method} ${req.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      far.write(head);
      if (faults.swallowsMessages === true) {
        far.once("data", (answer) => near.write(answer));
        return;
      }
      near.pipe(far).pipe(near);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
    if (idleMs > 0) far.setTimeout(idleMs, () => near.destroy());
  }

  const options = { shouldUpgradeCallback: () => faults.dropsUpgrade !== true };
  const server =
    tls === undefined
      ? createServer(options, forward)
      : createSecureServer({ ...options, ...tls }, forward);
  server.on("upgrade", upgrade);
  if (idleMs > 0) server.setTimeout(idleMs);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const open = new Set<Duplex>();
  server.on("connection", (socket: Duplex) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of open) socket.destroy();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  return `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
}

const TOO_LONG = { status: 414, headers: {}, body: "<title>414 Request-URI Too Large</title>" };
const TOO_LARGE = { status: 413, headers: {}, body: "<title>413 Request Entity Too Large</title>" };

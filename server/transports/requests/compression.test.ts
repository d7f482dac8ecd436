import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { brotliDecompressSync, constants, createGunzip, gunzipSync } from "node:zlib";
import { EventSource } from "eventsource";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { unsentBytes } from "#server/transports/sockets/unsent-bytes.ts";
import { untilDrained } from "#server/transports/trpc/drain.ts";
import { createCompression, MIN_COMPRESSED_BYTES } from "./compression.ts";

const WAIT = { timeout: 120_000 };
const LONG = JSON.stringify(Array.from({ length: 500 }, (_, n) => ({ id: n, title: "A job" })));
const JSON_TYPE = { "Content-Type": "application/json" };

const MAX_STREAMS = 2;

let server: Server;
let answer: (req: IncomingMessage, res: ServerResponse) => unknown;

beforeEach(async () => {
  const compression = createCompression(MAX_STREAMS);
  server = createServer((req, res) => {
    compression.apply(req, res);
    void answer(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const port = () => (server.address() as AddressInfo).port;

async function open(accepted?: string, method = "GET"): Promise<IncomingMessage> {
  const headers = accepted === undefined ? {} : { "Accept-Encoding": accepted };
  const asked = request({ host: "127.0.0.1", port: port(), method, headers }).end();
  const [res] = (await once(asked, "response")) as [IncomingMessage];
  return res;
}

async function ask(accepted?: string, method?: string) {
  const res = await open(accepted, method);
  const parts: Buffer[] = [];
  for await (const part of res) parts.push(part as Buffer);
  return { status: res.statusCode, headers: res.headers, body: Buffer.concat(parts) };
}

test("[Z5] a body is compressed as its client accepts, with its length, and caches are told", async () => {
  answer = (_req, res) => {
    res.setHeader("Vary", "Origin");
    res.writeHead(200, { ...JSON_TYPE, "Content-Length": LONG.length, ETag: '"one"' }).end(LONG);
  };
  for (const [accepted, decode] of [
    ["br", brotliDecompressSync],
    ["gzip", gunzipSync],
  ] as const) {
    const { headers, body } = await ask(accepted);
    expect(headers).toMatchObject({
      "content-encoding": accepted,
      "content-length": String(body.length),
      vary: "Origin, Accept-Encoding",
      etag: 'W/"one"',
    });
    expect(body.length).toBeLessThan(LONG.length / 3);
    expect(decode(body).toString()).toBe(LONG);
  }
  const plain = await ask("identity");
  expect(plain.headers).toMatchObject({
    "content-length": String(LONG.length),
    vary: "Origin, Accept-Encoding",
    etag: '"one"',
  });
  expect(plain.headers["content-encoding"]).toBeUndefined();
  expect(plain.body.toString()).toBe(LONG);
});

test("[Z5] a body that comes in parts without a length is compressed as a whole", async () => {
  const done = vi.fn<() => void>();
  answer = (_req, res) => {
    res.statusCode = 201;
    res.setHeader("Content-Type", "application/json");
    res.write(LONG.slice(0, 10), done);
    res.write(Buffer.from(LONG.slice(10, 20)));
    res.write(LONG.slice(20), "utf8", done);
    res.end(done);
  };
  const { status, headers, body } = await ask("gzip");
  expect([status, headers["content-encoding"], headers["content-length"]]).toEqual([
    201,
    "gzip",
    String(body.length),
  ]);
  expect(gunzipSync(body).toString()).toBe(LONG);
  await vi.waitFor(() => expect(done).toHaveBeenCalledTimes(3), WAIT);
});

test.each<[string, (res: ServerResponse) => unknown, number]>([
  [
    "is small",
    (res) => res.writeHead(200, JSON_TYPE).end("x".repeat(MIN_COMPRESSED_BYTES - 1)),
    200,
  ],
  [
    "is compressed in itself",
    (res) => res.writeHead(200, { "Content-Type": "font/woff2" }).end(LONG),
    200,
  ],
  ["has no type", (res) => res.end(LONG), 200],
  [
    "has a coding of its own",
    (res) => res.writeHead(200, { ...JSON_TYPE, "Content-Encoding": "zstd" }).end(LONG),
    200,
  ],
  [
    "may not be transformed",
    (res) =>
      res.writeHead(200, { ...JSON_TYPE, "Cache-Control": "private, no-transform" }).end(LONG),
    200,
  ],
  [
    "is a file that is read in parts",
    (res) => (
      res.writeHead(200, { ...JSON_TYPE, "Content-Length": LONG.length }),
      res.write(LONG),
      res.end()
    ),
    200,
  ],
  ["is none: 204", (res) => res.writeHead(204, JSON_TYPE).end(), 204],
  ["is none: 304", (res) => res.writeHead(304, { ...JSON_TYPE, ETag: '"one"' }).end(), 304],
  [
    "has its head in a list",
    (res) => res.writeHead(200, "Fine", ["Set-Cookie", "a=1", "Set-Cookie", "b=2"]).end("x"),
    200,
  ],
])("[Z5] a body that %s goes out as it is", async (_, send, expected) => {
  answer = (_req, res) => send(res);
  const { status, headers } = await ask("gzip, br");
  expect(status).toBe(expected);
  expect(headers["content-encoding"] ?? "zstd").toBe("zstd");
  expect(headers.etag ?? '"one"').toBe('"one"');
  expect((headers["set-cookie"] ?? ["a=1", "b=2"]).join()).toBe("a=1,b=2");
});

test("[Z5] the answer to HEAD has no body, and says that it depends on the coding", async () => {
  answer = (_req, res) => res.writeHead(200, { ...JSON_TYPE, "Content-Length": 12 }).end();
  const { headers, body } = await ask("gzip", "HEAD");
  expect([
    headers["content-length"],
    headers["content-encoding"],
    headers.vary,
    body.length,
  ]).toEqual(["12", undefined, "Accept-Encoding", 0]);
});

test("[Z5] HEAD gives no length that GET does not have, and an answer 304 depends on the coding as 200 does", async () => {
  answer = (req, res) => {
    if (req.method === "GET") return res.writeHead(304, { ETag: 'W/"one"' }).end();
    return res.writeHead(200, { ...JSON_TYPE, "Content-Length": LONG.length, ETag: '"one"' }).end();
  };
  const head = await ask("gzip", "HEAD");
  expect(head.headers).toMatchObject({ vary: "Accept-Encoding", etag: 'W/"one"' });
  expect(head.headers["content-length"]).toBeUndefined();
  expect((await ask("identity", "HEAD")).headers["content-length"]).toBe(String(LONG.length));
  expect((await ask("gzip")).headers).toMatchObject({ vary: "Accept-Encoding", etag: 'W/"one"' });
});

test("[Z6] a second answer to a request changes nothing in the first, which waits for its compressor", async () => {
  answer = (_req, res) => {
    res.writeHead(200, JSON_TYPE).end(LONG);
    res.flushHeaders();
    res.writeHead(500, { "Content-Type": "text/plain" }).end("It failed.");
  };
  const { status, headers, body } = await ask("gzip");
  expect([status, headers["content-type"]]).toEqual([200, "application/json"]);
  expect(gunzipSync(body).toString()).toBe(LONG);
});

test("[Z6] a client that leaves while its body is compressed, and many at once, do no harm", async () => {
  answer = (req, res) => {
    res.writeHead(200, JSON_TYPE).end(LONG);
    if (req.method === "POST") res.destroy();
  };
  const left = Array.from({ length: 10 }, () => open("br", "POST").catch(() => undefined));
  const all = await Promise.all(Array.from({ length: 50 }, () => ask("br")));
  await Promise.all(left);
  for (const { body } of all) expect(brotliDecompressSync(body).toString()).toBe(LONG);
});

/** Serves an event stream, and returns its response. */
function serveEvents(): Promise<ServerResponse> {
  const { promise, resolve } = Promise.withResolvers<ServerResponse>();
  answer = (_req, res) => {
    // As tRPC writes it.
    const head = {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-cache, no-transform",
    };
    res.writeHead(200, head);
    resolve(res);
  };
  return promise;
}

test("[Z7] each event arrives decoded before the next one is written", async () => {
  const serving = serveEvents();
  const opening = open("gzip, br");
  const events = await serving;
  let text = "";
  events.write("event: hello\n");
  const stream = await opening;
  expect(stream.headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept-Encoding" });
  let wire = 0;
  stream.on("data", (chunk: Buffer) => (wire += chunk.length));
  stream.pipe(createGunzip()).on("data", (chunk: Buffer) => (text += chunk.toString()));
  let sent = "event: hello\n";
  for (let n = 0; n < 50; n += 1) {
    // An event in several parts, as tRPC writes it.
    const parts = [
      "event: update\n",
      `data: {"jobId":"01a22e2e-775d","seq":${n}}\n`,
      `id: ${n}\n\n`,
    ];
    for (const part of parts) events.write(part);
    sent += parts.join("");
    await vi.waitFor(() => expect(text).toBe(sent), WAIT);
  }
  expect(wire).toBeLessThan(sent.length);
  events.end("retry: 5\n\n");
  await vi.waitFor(() => expect(text).toBe(`${sent}retry: 5\n\n`), WAIT);
});

test("[Z7] a stock EventSource decodes the stream", async () => {
  const serving = serveEvents();
  const source = new EventSource(`http://127.0.0.1:${port()}/`);
  onTestFinished(() => source.close());
  const seen: string[] = [];
  source.addEventListener("message", ({ data }) => seen.push(data as string));
  const events = await serving;
  for (let n = 0; n < 3; n += 1) {
    events.write(`data: ${n}\n\n`);
    await vi.waitFor(() => expect(seen.at(-1)).toBe(String(n)), WAIT);
  }
  expect(events.getHeader("content-encoding")).toBe("gzip");
});

/** Random, so that it stays large. */
const line = () =>
  `data: ${Buffer.from(crypto.getRandomValues(new Uint8Array(6000))).toString("base64")}\n\n`;

test("[S7] [Z7] a client that reads nothing stops its writer, whatever the compressor takes, and gets all when it reads", async () => {
  const serving = serveEvents();
  const opening = open("gzip");
  const events = await serving;
  events.write(": open\n\n");
  const stream = await opening;
  stream.pause();
  let written = 0;
  const lines: string[] = [];
  const write = async () => {
    while (!events.closed && lines.length < 4000) {
      await untilDrained(events.req.socket);
      const next = line();
      lines.push(next);
      written += next.length;
      if (events.write(next)) continue;
      await Promise.race([once(events, "drain"), once(events, "close")]);
    }
    events.end();
  };
  const writing = write();
  let before = 0;
  await vi.waitUntil(
    () => {
      const last = before;
      before = written;
      return unsentBytes(events.req.socket) > 0 && last === written;
    },
    { timeout: 120_000, interval: 100 },
  );
  // As much as the two kernels keep, and some more.
  expect(lines.length).toBeLessThan(4000);
  expect(events.req.socket.writableLength).toBeLessThan(256 * 1024);
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  await writing;
  const text = gunzipSync(Buffer.concat(parts), { finishFlush: constants.Z_SYNC_FLUSH }).toString();
  expect(text).toBe(`: open\n\n${lines.join("")}`);
});

const codingOf = ({ headers }: IncomingMessage) => headers["content-encoding"];

test("[Z6] beyond their limit, streams go out as they are, until one has ended", async () => {
  answer = (_req, res) => {
    res.writeHead(200, { "Content-Type": "text/event-stream" });
    res.write("data: 1\n\n");
  };
  const first = await open("gzip");
  expect(codingOf(first)).toBe("gzip");
  expect(codingOf(await open("gzip"))).toBe("gzip");
  const third = await open("gzip");
  expect(codingOf(third)).toBeUndefined();
  const [text] = (await once(third, "data")) as [Buffer];
  expect(text.toString()).toBe("data: 1\n\n");
  first.destroy();
  await vi.waitFor(async () => expect(codingOf(await open("gzip"))).toBe("gzip"), WAIT);
});

test("[Z6] streams whose clients left before they began are not counted", async () => {
  let left = 0;
  answer = async (_req, res) => {
    await once(res, "close");
    res.writeHead(200, { "Content-Type": "text/event-stream" }).end("data: 1\n\n");
    left += 1;
  };
  for (let n = 0; n < MAX_STREAMS; n += 1) {
    const asked = request({ port: port(), host: "127.0.0.1" }).on("error", () => {});
    asked.setHeader("Accept-Encoding", "gzip");
    asked.flushHeaders();
    asked.end();
    await once(server, "request");
    asked.destroy();
  }
  await vi.waitFor(() => expect(left).toBe(MAX_STREAMS), WAIT);
  const serving = serveEvents();
  const opening = open("gzip");
  (await serving).write("data: 1\n\n");
  expect(codingOf(await opening)).toBe("gzip");
});

test("[Z7] the compressor of a stream ends with its connection", async () => {
  const serving = serveEvents();
  const opening = open("gzip");
  const events = await serving;
  events.write("data: 1\n\n");
  const stream = await opening;
  stream.destroy();
  await once(events, "close");
  // Neither throws, nor waits.
  events.write("data: 2\n\n");
  events.end();
  expect(events.closed).toBe(true);
});

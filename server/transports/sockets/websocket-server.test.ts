import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex, Readable } from "node:stream";
import { constants, deflateRawSync, InflateRaw, inflateRawSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { clientFrame, openRawWebSocket } from "#test/transports/raw-websocket.ts";
import { MIN_INFLATED_BYTES } from "./bounded-inflate.ts";
import { BoundedWebSocketServer, compressionOf } from "./websocket-server.ts";

const MAX = 1024 * 1024;
/** Of what an inflater puts out at a time. */
const CHUNK_BYTES = 16_384;
const OFFER = "permessage-deflate; client_max_window_bits";
/** FIN, with RSV1 and the opcode of texts; the same without FIN; the end of a message in several frames. */
const COMPRESSED = 0xc1;
const COMPRESSED_BEGIN = 0x41;
const MIDDLE = 0x00;
const END = 0x80;

const server = createServer();
let url: string;
let compression = true;
const served: WebSocket[] = [];
const messages: string[] = [];
const errors: string[] = [];

beforeAll(async () => {
  const enabled = new BoundedWebSocketServer({ noServer: true, maxPayload: MAX }, true);
  const disabled = new BoundedWebSocketServer({ noServer: true, maxPayload: MAX }, false);
  server.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    (compression ? enabled : disabled).handleUpgrade(req, socket, head, (ws, same) => {
      if (same !== req) throw new Error("The request is another one.");
      served.push(ws);
      ws.on("message", (data: Buffer) => messages.push(data.toString()));
      ws.on("error", ({ message }) => errors.push(message));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  for (const ws of served.splice(0)) ws.terminate();
  messages.length = errors.length = 0;
  compression = true;
});
afterAll(() => server.close());

const deflated = (data: string | Uint8Array) =>
  deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
/** Half of it hardly compresses. */
const numbers = (bytes: number) =>
  Array.from({ length: bytes / 16 }, (_, n) => `${Math.sin(n)}`.slice(-8).padEnd(16)).join("");

test.each([
  [
    OFFER,
    "permessage-deflate; client_no_context_takeover",
    { forgets: false, windowBytes: 2 ** 30 },
  ],
  [
    "permessage-deflate; server_no_context_takeover; server_max_window_bits=10",
    "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; client_no_context_takeover",
    { forgets: true, windowBytes: 1024 },
  ],
  ["permessage-deflate; unknown", undefined, undefined],
  ["x-webkit-deflate-frame", undefined, undefined],
  [undefined, undefined, undefined],
])("[Z2] the offer %j is answered by %j", async (offer, answer, terms) => {
  const raw = await openRawWebSocket(url, offer === undefined ? {} : { extensions: offer });
  expect(raw.head).toMatch(/^HTTP\/1\.1 101 /);
  expect(/^sec-websocket-extensions: (.*)$/im.exec(raw.head)?.[1]).toBe(answer);
  const { forgets, windowBytes } = compressionOf(served[0]) ?? {};
  expect(forgets === undefined ? undefined : { forgets, windowBytes }).toEqual(terms);
});

test("[Z2] a malformed offer fails the handshake, and without compression no offer matters", async () => {
  expect((await openRawWebSocket(url, { extensions: ";" })).head).toMatch(/^HTTP\/1\.1 400 /);
  compression = false;
  for (const extensions of [OFFER, ";"]) {
    const raw = await openRawWebSocket(url, { extensions });
    expect(raw.head).toMatch(/^HTTP\/1\.1 101 /);
    expect(raw.head.toLowerCase()).not.toContain("extensions");
  }
  expect(served.map(compressionOf)).toEqual([undefined, undefined]);
});

test("[Z3] what `ws` itself sends is not compressed", async () => {
  const raw = await openRawWebSocket(url, { extensions: OFFER });
  const text = "a".repeat(2000);
  const called: string[] = [];
  served[0]?.send(text, () => called.push("sent"));
  served[0]?.send(text, { compress: true }, () => called.push("sent"));
  await expect.poll(() => raw.frames.length, { interval: 1 }).toBe(2);
  expect(raw.frames).toEqual(
    Array.from({ length: 2 }, () => ({ compressed: false, opcode: 1, payload: Buffer.from(text) })),
  );
  expect(called).toEqual(["sent", "sent"]);
});

test("[Z4] compressed messages of clients arrive, whole or in fragments, each inflated by itself", async () => {
  const raw = await openRawWebSocket(url, { extensions: OFFER });
  const text = '{"a":"ünïcödé"}';
  const whole = deflated(text);
  raw.send(
    clientFrame(COMPRESSED, whole),
    clientFrame(COMPRESSED_BEGIN, whole.subarray(0, 3)),
    clientFrame(MIDDLE, whole.subarray(3, 4)),
    clientFrame(END, whole.subarray(4)),
    clientFrame(0x81, Buffer.from("plain")),
    clientFrame(COMPRESSED, whole),
    clientFrame(COMPRESSED, deflated("")),
  );
  await expect.poll(() => messages, { interval: 1 }).toEqual([text, text, "plain", text, ""]);
  // A client that compresses with its earlier message as history breaks the terms.
  const history = deflateRawSync(text, {
    finishFlush: constants.Z_SYNC_FLUSH,
    dictionary: Buffer.from(text),
  }).subarray(0, -4);
  raw.send(clientFrame(COMPRESSED, history));
  expect(await raw.closed).toBe(1007);
});

/** As browsers send it: inputs that differ in a number, or not at all. */
const batchOf = (jobs: number, topicOf: (n: number) => string) => {
  const inputs = Array.from({ length: jobs }, (_, n) => ({
    kind: "article",
    input: { topic: topicOf(n), tone: "friendly", writer: "demo" },
  }));
  const input = { json: { jobs: inputs } };
  return JSON.stringify({ id: 1, method: "mutation", params: { path: "batch.create", input } });
};

test("[Z4] a message may inflate to 128 KiB or 64 times its size: batches of like inputs pass", async () => {
  const raw = await openRawWebSocket(url, { extensions: OFFER });
  const small = "a".repeat(MIN_INFLATED_BYTES);
  const large = numbers(200_000);
  const alike = batchOf(1000, () => "Cats and their owners");
  const numbered = batchOf(9000, (n) => `Cats and their owners ${n}`);
  raw.send(clientFrame(COMPRESSED, deflated(small)));
  raw.send(clientFrame(COMPRESSED_BEGIN, deflated(large).subarray(0, 60_000)));
  raw.send(clientFrame(END, deflated(large).subarray(60_000)));
  raw.send(clientFrame(COMPRESSED, deflated(alike)), clientFrame(COMPRESSED, deflated(numbered)));
  await expect.poll(() => messages.length, { interval: 1 }).toBe(4);
  expect(messages).toEqual([small, large, alike, numbered]);
});

const bomb = (bytes: number) => deflated(Buffer.alloc(bytes, "["));
test.each([
  ["a bomb", 1009, [clientFrame(COMPRESSED, bomb(MIN_INFLATED_BYTES + 1))]],
  [
    "a bomb of the largest size",
    1009,
    [clientFrame(COMPRESSED, bomb(64 * MAX).subarray(0, 65_000))],
  ],
  [
    "a bomb in fragments",
    1009,
    [
      clientFrame(COMPRESSED_BEGIN, bomb(10_000)),
      ...Array.from({ length: 20 }, () =>
        clientFrame(MIDDLE, Buffer.concat([Buffer.from([0, 0, 0xff, 0xff]), bomb(10_000)])),
      ),
      clientFrame(END, Buffer.alloc(0)),
    ],
  ],
  ["no deflate", 1007, [clientFrame(COMPRESSED, Buffer.from("no deflate at all"))]],
  [
    "deflated bytes that are no UTF-8",
    1007,
    [clientFrame(COMPRESSED, deflated(Buffer.from([0xff, 0xfe])))],
  ],
  [
    "RSV1 in the middle of a message",
    1002,
    [clientFrame(COMPRESSED_BEGIN, deflated("a")), clientFrame(0xc0, deflated("b"))],
  ],
  ["RSV1 on a ping", 1002, [clientFrame(0xc9, deflated("a"))]],
  ["RSV2", 1002, [clientFrame(0xa1, deflated("a"))]],
  ["RSV3", 1002, [clientFrame(0x91, deflated("a"))]],
])("[Z4] %s closes its own connection with %i", async (_what, code, sent) => {
  const other = new WebSocket(url);
  await once(other, "open");
  const raw = await openRawWebSocket(url, { extensions: OFFER });
  raw.send(...sent);
  expect(await raw.closed).toBe(code);
  expect(messages).toEqual([]);
  // `ws` compresses this one.
  const fine = JSON.stringify(Array.from({ length: 300 }, (_, n) => n));
  other.send(fine);
  await expect.poll(() => messages, { interval: 1 }).toEqual([fine]);
  other.terminate();
});

test("[Z4] a bomb is inflated up to its limit and no further, also one that begins anew there", async () => {
  const bytes = 20_000;
  const zeros = deflated(Buffer.alloc(20 * MAX)).subarray(0, bytes);
  // An inflater that is reset where it has exceeded the limit, as that of `ws`, finds another deflate there.
  const full = MAX + CHUNK_BYTES;
  const inflatedTo = (end: number) =>
    inflateRawSync(zeros.subarray(0, end), { finishFlush: constants.Z_SYNC_FLUSH }).length;
  let at = Math.floor(full / 1032);
  while (inflatedTo(at) < full) at += 1;
  const pushed = vi.spyOn(InflateRaw.prototype as Readable, "push");
  onTestFinished(() => pushed.mockRestore());
  const raw = await openRawWebSocket(url, { extensions: OFFER });
  raw.send(
    clientFrame(COMPRESSED, Buffer.concat([zeros.subarray(0, at), zeros]).subarray(0, bytes)),
  );
  expect(await raw.closed).toBe(1009);
  const lengths = pushed.mock.calls.map(([chunk]) => (chunk as Buffer | null)?.length ?? 0);
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(full);
});

test("[Z4] a compressed message of a client that did not ask for compression closes its connection with 1002", async () => {
  const raw = await openRawWebSocket(url);
  raw.send(clientFrame(COMPRESSED, deflated("a")));
  expect(await raw.closed).toBe(1002);
});

test("[Z4] a message may end in a final block, and what follows that is not read", async () => {
  const raw = await openRawWebSocket(url, { extensions: OFFER });
  const final = deflateRawSync("final");
  raw.send(
    clientFrame(COMPRESSED, final),
    clientFrame(COMPRESSED, Buffer.concat([final, Buffer.from("rubbish")])),
    clientFrame(COMPRESSED, Buffer.alloc(0)),
    // Control frames come between the fragments of a message.
    clientFrame(COMPRESSED_BEGIN, final.subarray(0, 2)),
    clientFrame(0x89, Buffer.alloc(0)),
    clientFrame(MIDDLE, Buffer.alloc(0)),
    clientFrame(END, final.subarray(2)),
  );
  await expect.poll(() => messages, { interval: 1 }).toEqual(["final", "final", "", "final"]);
});

test("[Z4] the close frame of a message that is too big says what to do", async () => {
  const reasons: string[] = [];
  for (const [first, payload] of [
    [COMPRESSED, bomb(MIN_INFLATED_BYTES + 1)],
    [COMPRESSED, Buffer.from("no deflate at all")],
    [0x81, undefined],
  ] as const) {
    const raw = await openRawWebSocket(url, { extensions: OFFER });
    // A length beyond the limit is refused before any byte of it.
    raw.send(
      payload ? clientFrame(first, payload) : Buffer.of(first, 0xff, 0, 0, 0, 1, 0, 0, 0, 0),
    );
    await raw.closed;
    reasons.push(raw.frames.at(-1)?.payload.toString("utf8", 2) ?? "");
  }
  expect(reasons).toEqual([
    "A message may inflate to 128 KiB, or 64 times its size. Split it, or send it over HTTP.",
    "A compressed message is no deflate.",
    "The message is larger than the server takes. Split it.",
  ]);
});

test("[Z4] clients that leave while their messages are inflated leave nothing behind", async () => {
  const raws = await Promise.all(
    Array.from({ length: 20 }, () => openRawWebSocket(url, { extensions: OFFER })),
  );
  for (const raw of raws) {
    for (let n = 0; n < 5; n++) raw.send(clientFrame(COMPRESSED, deflated("x".repeat(9000))));
    raw.close();
  }
  await Promise.all(raws.map(({ closed }) => closed));
  await expect
    .poll(() => served.map(({ readyState }) => readyState), { interval: 1 })
    .toEqual(Array.from({ length: 20 }, () => WebSocket.CLOSED));
  expect(errors).toEqual([]);
});

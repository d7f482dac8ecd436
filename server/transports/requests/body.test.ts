import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import fc from "fast-check";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { BodyCutOff, BodyTooLarge, readBody } from "./body.ts";

const LIMIT = 100_000;
/** The result of each request on `server`: its body, or the error of `readBody`. */
let outcomes: Promise<unknown>[] = [];
const server = createServer((req: IncomingMessage, res: ServerResponse) => {
  const outcome = readBody(req, LIMIT).catch((error: unknown) => error);
  outcomes.push(outcome);
  void outcome.then(() => res.end("read"));
});

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return () => {
    server.closeAllConnections();
    server.close();
  };
});

async function open() {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  outcomes = [];
  socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  await once(socket, "connect");
  return socket;
}

const chunk = (bytes: Buffer) =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);

test("[H4] a body is read whole, however it is cut", async () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 9000 }), { maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(pieces, async (parts) => {
      const body = Buffer.concat(parts);
      const socket = await open();
      for (const part of parts) socket.write(chunk(Buffer.from(part)));
      socket.write("0\r\n\r\n");
      await once(socket, "data");
      const read = await outcomes[0];
      expect(Buffer.compare(read as Buffer, body)).toBe(0);
      socket.destroy();
    }),
    { numRuns: 30 },
  );
});

test("[H4] chunks of one byte cost a small multiple of the body", async () => {
  const socket = await open();
  socket.write(Buffer.from("1\r\nx\r\n".repeat(LIMIT)));
  socket.write("0\r\n\r\n");
  await once(socket, "data");
  const read = (await outcomes[0]) as Buffer;
  expect(read.toString()).toBe("x".repeat(LIMIT));
  expect(read.buffer.byteLength).toBeLessThanOrEqual(2 * LIMIT);
});

test("[H4] of several senders of tiny chunks, one is read at a time", async () => {
  const SENDERS = 6;
  const BODY = LIMIT / 2;
  /** Chunks by tick, without the first ones of each sender. */
  const perTurn: number[] = [0];
  const onRequest = (req: IncomingMessage) => {
    let first: number | undefined;
    req.on("data", () => {
      first ??= perTurn.length;
      if (perTurn.length > first) perTurn[perTurn.length - 1] = (perTurn.at(-1) ?? 0) + 1;
    });
  };
  server.on("request", onRequest);
  let over = false;
  const countTurn = () => {
    perTurn.push(0);
    if (!over) setImmediate(countTurn);
  };
  countTurn();
  const sockets = await Promise.all(Array.from({ length: SENDERS }, open));
  for (const socket of sockets) socket.write(`${"1\r\nx\r\n".repeat(BODY)}0\r\n\r\n`);
  await Promise.all(sockets.map((socket) => once(socket, "data")));
  over = true;
  server.off("request", onRequest);
  expect(perTurn.reduce((sum, chunks) => sum + chunks)).toBeGreaterThan((SENDERS * BODY) / 2);
  // A read of 64 KiB holds eleven thousand chunks, and each sender may have some hundreds before it is paused.
  expect(Math.max(...perTurn)).toBeLessThan(2 * 11_000);
});

test("[H4] a body in large chunks does not wait behind bodies in tiny chunks", async () => {
  const SENDERS = 10;
  const LARGE = 4 * 1024 * 1024;
  let largeBytes = 0;
  let tinyMeanwhile = 0;
  let largeSocket: Socket | undefined;
  const onRequest = (req: IncomingMessage) =>
    req.on("data", ({ length }: Buffer) => {
      if (length > 1) {
        largeBytes += length;
        largeSocket = req.socket;
      } else if (largeSocket?.isPaused()) tinyMeanwhile += 1;
    });
  server.on("request", onRequest);
  onTestFinished(() => void server.off("request", onRequest));
  const tiny = await Promise.all(Array.from({ length: SENDERS }, open));
  const large = await open();
  for (const socket of tiny) socket.write("1\r\nx\r\n".repeat(5 * LIMIT));
  large.write(Buffer.concat(Array<Buffer>(LARGE / 1024).fill(chunk(Buffer.alloc(1024)))));
  await vi.waitFor(() => expect(largeBytes).toBeGreaterThan(LARGE - 1024), { timeout: 120_000 });
  // It pauses four times; if each other sender had a turn meanwhile, these would be 110,000 chunks each time.
  expect(tinyMeanwhile).toBeLessThan(2 * 110_000);
});

test("[H4] a body beyond the limit rejects at once, and its rest is discarded", async () => {
  const socket = await open();
  socket.write(chunk(Buffer.alloc(LIMIT)));
  socket.write(chunk(Buffer.alloc(1)));
  await once(socket, "data");
  const outcome = await outcomes[0];
  expect(outcome).toBeInstanceOf(BodyTooLarge);
  expect((outcome as Error).message).toContain(String(LIMIT));
  // The connection serves the next request.
  socket.write(`${chunk(Buffer.alloc(LIMIT)).toString("latin1")}0\r\n\r\n`, "latin1");
  socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nok");
  await once(socket, "data");
  expect(String(await outcomes[1])).toBe("ok");
});

test("[H4] a client that leaves in the middle is distinguished from a complete body", async () => {
  const socket = await open();
  socket.write(chunk(Buffer.from("half")));
  await once(server, "request");
  socket.destroy();
  expect(await outcomes[0]).toBeInstanceOf(BodyCutOff);
});

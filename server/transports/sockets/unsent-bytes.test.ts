import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import {
  connect as connectSecurely,
  createServer as createSecureServer,
  type TLSSocket,
} from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { createPair } from "#test/tls/certificate.fixture.ts";
import { unsentBytes } from "./unsent-bytes.ts";

// Fails if Node moves the count of its sockets: slow readers would then count as stalled.
test("the count of a socket is libuv's, which falls during a write", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const far = connect((server.address() as { port: number }).port, "127.0.0.1").pause();
  const [near] = (await once(server, "connection")) as [Socket];
  expect(unsentBytes(near)).toBe(0);
  near.write(Buffer.alloc(64 * 2 ** 20));
  expect(near.writableLength).toBe(64 * 2 ** 20);
  expect(unsentBytes(near)).toBeGreaterThan(0);
  expect(unsentBytes(near)).toBeLessThan(near.writableLength);
  far.destroy();
  near.destroy();
  server.close();
});

// Fails if Node moves either count: a slow reader of one large write would then count as stalled, or a stalled one as idle.
test("over TLS the count changes with each byte that the kernel takes, and is 0 when nothing waits", async () => {
  const pair = await createPair();
  const server = createSecureServer(pair).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const far = connectSecurely({ port, host: "127.0.0.1", ca: pair.cert });
  const [[near]] = (await Promise.all([
    once(server, "secureConnection"),
    once(far, "secureConnect"),
  ])) as [[TLSSocket], unknown];
  expect(unsentBytes(near)).toBe(0);
  far.pause();
  near.write(Buffer.alloc(64 * 2 ** 20));
  expect(unsentBytes(near)).toBeGreaterThan(0);
  const counts = new Set<number>();
  far.on("data", () => {
    // During the one write, the stream's own count stays.
    if (near.writableLength > 0) counts.add(unsentBytes(near));
    if (counts.size > 3) far.pause();
  });
  far.resume();
  await expect.poll(() => counts.size).toBeGreaterThan(3);
  expect(near.writableLength).toBe(64 * 2 ** 20);
  far.removeAllListeners("data").resume();
  await expect.poll(() => near.writableLength).toBe(0);
  expect(unsentBytes(near)).toBe(0);
  far.destroy();
  near.destroy();
});

test("the count of any other stream is the stream's own", () => {
  const stream = new PassThrough();
  stream.write("12345");
  expect(unsentBytes(stream)).toBe(stream.writableLength);
});

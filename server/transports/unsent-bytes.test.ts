import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
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

test("the count of any other stream is the stream's own", () => {
  const stream = new PassThrough();
  stream.write("12345");
  expect(unsentBytes(stream)).toBe(stream.writableLength);
});

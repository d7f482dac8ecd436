import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { unsentBytes } from "./unsent-bytes.ts";

// Fails when Node's sockets keep their count elsewhere: slow readers would be taken for stalled ones.
test("a socket's count is libuv's, which falls within a write", async () => {
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

test("of any other stream it is the stream's own", () => {
  const stream = new PassThrough();
  stream.write("12345");
  expect(unsentBytes(stream)).toBe(stream.writableLength);
});

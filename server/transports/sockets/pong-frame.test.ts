import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { pongFrame } from "./pong-frame.ts";

test.each([0, 1, 125])("a pong of %d bytes equals the frame of ws itself", async (length) => {
  const payload = Buffer.alloc(length, "p");
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  onTestFinished(() => server.close());
  await once(server, "listening");
  const socket = connect((server.address() as { port: number }).port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write(
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  );
  await once(socket, "data");
  const answer = once(socket, "data") as Promise<[Buffer]>;
  socket.write(Buffer.concat([Buffer.from([0x89, 0x80 | length, 0, 0, 0, 0]), payload]));
  expect((await answer)[0].equals(pongFrame(payload))).toBe(true);
});

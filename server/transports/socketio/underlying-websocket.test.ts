import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { Server, type Socket } from "socket.io";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { inflowOf } from "./inflow.ts";
import { newSent } from "#server/transports/usage.ts";
import { createConnectionWriter } from "./connection-writer.ts";
import { textFrame } from "#server/transports/sockets/text-frame.ts";
import { openSocketWriters, type SocketWriters } from "#server/transports/sockets/socket-writer.ts";
import { openRaw } from "#test/transports/socketio-raw-client.ts";
import { until } from "#test/transports/socketio.fixture.ts";
import { underlyingWebSocket } from "./underlying-websocket.ts";
import { createWebSocketEngine } from "./websocket-engine.ts";

const SENT = { websocket: newSent(), polling: newSent() };
let http: HttpServer;
let io: Server;
let url: string;
let writers: SocketWriters;

beforeEach(async () => {
  writers = openSocketWriters({ highWaterBytes: 262_144, stallTimeoutMs: 60_000 });
  http = createServer();
  io = new Server(http, { wsEngine: createWebSocketEngine(writers, true) });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  url = `127.0.0.1:${(http.address() as AddressInfo).port}/socket.io/?EIO=4&transport=`;
});
afterEach(async () => {
  await io.close();
  writers.close();
});

async function connect() {
  const client = openRaw(`ws://${url}websocket`);
  await until(() => expect(client.frames).toHaveLength(1));
  const connected = once(io, "connection") as Promise<[Socket]>;
  client.send("40");
  const [socket] = await connected;
  return { client, socket };
}

test("the socket below a WebSocket is found in the installed version of Engine.IO", async () => {
  const { client, socket } = await connect();
  const below = underlyingWebSocket(socket.conn);
  expect(below?.readyState).toBe(WebSocket.OPEN);
  if (below !== undefined) inflowOf(below)?.writer.write(textFrame('42["one"]'));
  await until(() => expect(client.frames.slice(2)).toEqual(['42["one"]']));
});

test("[S1] a writer's frames do not overtake packets that Engine.IO still holds", async () => {
  const { client, socket } = await connect();
  const writer = createConnectionWriter(socket.conn, 1e6, SENT);
  const texts = Array.from({ length: 20 }, (_, n) => `2["${n}"]`);
  for (const [n, text] of texts.entries()) {
    const frame = textFrame(`4${text}`);
    if (n % 3 === 0) socket.emit(String(n));
    else writer.send([{ data: text, options: { compress: true, wsPreEncodedFrame: [frame] } }]);
  }
  await until(() => expect(client.frames).toHaveLength(22));
  expect(client.frames.slice(2)).toEqual(texts.map((text) => `4${text}`));
});

test("a connection that polls has none", async () => {
  let found: unknown = "not looked for";
  io.engine.on("connection", (connection: Socket["conn"]) => {
    found = underlyingWebSocket(connection);
  });
  await (await fetch(`http://${url}polling`)).text();
  expect(found).toBeUndefined();
});

test("nothing is written to a WebSocket that is closing", async () => {
  const { client, socket } = await connect();
  const writer = createConnectionWriter(socket.conn, 1e6, SENT);
  socket.conn.close();
  const text = '2["late"]';
  const frame = textFrame(`4${text}`);
  writer.send([{ data: text, options: { compress: true, wsPreEncodedFrame: [frame] } }]);
  await client.closed;
  expect(client.frames.at(-1)).not.toContain("late");
});

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { FastClosingSocket } from "./fast-closing-socket.ts";

test("an abandoned socket closes although its peer never answers the close frame", async () => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  // Stops reading, as a frozen process does: it never answers a close frame.
  server.on("connection", (socket) => socket.pause());
  const socket = new FastClosingSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await once(socket, "open");
  const closed = once(socket, "close") as Promise<[CloseEvent]>;
  socket.close();
  const [event] = await closed;
  expect(event.code).toBe(1006);
  expect(socket.readyState).toBe(WebSocket.CLOSING);
  for (const each of server.clients) each.terminate();
  server.close();
});

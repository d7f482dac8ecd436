import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { PromptSocket } from "./prompt-socket.ts";

test("a socket that was given up is closed, though the other side says nothing", async () => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  // Reads nothing from now on, as a frozen process does: no goodbye is ever answered.
  server.on("connection", (socket) => socket.pause());
  const socket = new PromptSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await once(socket, "open");
  const closed = once(socket, "close") as Promise<[CloseEvent]>;
  socket.close();
  const [event] = await closed;
  expect(event.code).toBe(1006);
  expect(socket.readyState).toBe(WebSocket.CLOSING);
  for (const each of server.clients) each.terminate();
  server.close();
});

import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { binaryFrame } from "./binary-frame.ts";
import { textFrame } from "./text-frame.ts";

const server = createServer();
let client: WebSocket;
/** The server's socket of the client's connection, for raw writes. */
let wire: Socket;

beforeAll(async () => {
  const sockets = new WebSocketServer({ noServer: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [req, socket, head] = (await once(server, "upgrade")) as [IncomingMessage, Socket, Buffer];
  wire = socket;
  sockets.handleUpgrade(req, socket, head, () => {});
  await once(client, "open");
});

afterAll(() => {
  client.terminate();
  server.close();
});

async function received(text: string): Promise<string> {
  const message = once(client, "message");
  wire.write(textFrame(text));
  const [data] = (await message) as [Buffer];
  return data.toString();
}

test("a frame carries a text of any length", async () => {
  // The size of the frame's head changes at these lengths.
  for (const edge of [0, 126, 0x10000]) {
    for (const length of [edge - 1, edge, edge + 1]) {
      const text = "x".repeat(Math.max(0, length));
      expect(await received(text)).toBe(text);
    }
  }
});

test("a frame carries any text", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 300 }), async (text) => {
      expect(await received(text)).toBe(text);
    }),
  );
});

test("a binary frame carries all of its parts, of any length", async () => {
  for (const edge of [0, 126, 0x10000]) {
    for (const length of [edge - 1, edge, edge + 1]) {
      const bytes = Buffer.alloc(Math.max(0, length), "xyz");
      const message = once(client, "message");
      wire.write(binaryFrame(bytes.subarray(0, 1), bytes.subarray(1)));
      expect(await message).toEqual([bytes, true]);
    }
  }
});

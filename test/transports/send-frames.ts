/** For tests: sends WebSocket frames that no client library sends. */
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { deflateRawSync } from "node:zlib";
import { clientFrame } from "./raw-websocket.ts";

/** Sends all frames. Resolves when the server has answered a ping after them, or has closed the connection. */
export async function sendFrames(url: string, frames: readonly (string | Buffer)[]): Promise<void> {
  const ws = new WebSocket(url);
  ws.on("error", () => {});
  await once(ws, "open");
  const over = Promise.race([once(ws, "pong"), once(ws, "close")]);
  for (const frame of frames) ws.send(frame);
  ws.ping();
  await over;
  ws.terminate();
}

const COMPRESSED_TEXT = 0xc1;
/** Hostile compressed messages by name. The server closes the connection of each. */
export const COMPRESSED: Readonly<Record<string, (url: string) => Promise<void>>> = {
  "a message that inflates to a thousand times its size": sendBytes(
    clientFrame(COMPRESSED_TEXT, deflateRawSync(Buffer.alloc(8 * 1024 * 1024, "["))),
  ),
  "a compressed message that is no deflate": sendBytes(
    clientFrame(COMPRESSED_TEXT, Buffer.from("no deflate")),
  ),
  "a compressed ping": sendBytes(clientFrame(0xc9, Buffer.from("ping"))),
};

/** Sends bytes past the client library, and resolves when the server has closed the connection. */
function sendBytes(bytes: Buffer): (url: string) => Promise<void> {
  return async (url) => {
    const ws = new WebSocket(url);
    ws.on("error", () => {});
    await once(ws, "open");
    (ws as unknown as { _socket: Duplex })._socket.write(bytes);
    await once(ws, "close");
  };
}

/** For tests: sends WebSocket frames that no client library sends. */
import { once } from "node:events";
import { WebSocket } from "ws";

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

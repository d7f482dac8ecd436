/** For tests: WebSocket frames as no client sends them. */
import { once } from "node:events";
import { WebSocket } from "ws";

/** Sends all frames. Resolves when the server has read them: it answers a ping after them, or has closed the connection. */
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

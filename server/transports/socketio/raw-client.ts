/** Clients without a library, for tests that look at frames or send what no library would. */
import { WebSocket } from "ws";

export function openRaw(url: string) {
  const ws = new WebSocket(url);
  const frames: string[] = [];
  ws.on("message", (data: Buffer) => frames.push(data.toString()));
  return {
    frames,
    send: (frame: string | Buffer) => ws.send(frame),
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    close: () => ws.close(),
    closed: new Promise<void>((resolve) => ws.once("close", () => resolve())),
  };
}

/** What stands between packets of one request in Engine.IO 4. */
const SEPARATOR = "\u001e";

/** Kept connections of these clients would hide those that the server does not let go. */
const headers = { connection: "close" };

/** Polls only when it is told to, and so can be as slow as a test wants. */
export async function openPolling(server: string) {
  const url = `${server}/socket.io/?EIO=4&transport=polling`;
  const opened = await (await fetch(url, { headers })).text();
  const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
  return {
    post: (...packets: string[]) =>
      fetch(`${url}&sid=${sid}`, { method: "POST", headers, body: packets.join(SEPARATOR) }),
    postBytes: (body: Uint8Array<ArrayBuffer>) =>
      fetch(`${url}&sid=${sid}`, { method: "POST", headers, body }),
    async poll(): Promise<{ status: number; packets: string[] }> {
      const response = await fetch(`${url}&sid=${sid}`, { headers });
      return { status: response.status, packets: (await response.text()).split(SEPARATOR) };
    },
  };
}

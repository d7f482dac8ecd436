/** Clients without a library, for tests that inspect frames or send packets that no library sends. */
import { expect } from "vitest";
import { WebSocket } from "ws";
import { until } from "./socketio.fixture.ts";

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

/** A client that has joined but answers no ping, so that the server cannot know what it has received. */
export async function joinRaw(server: string, pid?: string) {
  const client = openRaw(`${server.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
  await until(() => expect(client.frames[0]).toMatch(/^0\{/));
  client.send(pid === undefined ? "40" : `40${JSON.stringify({ pid, offset: "x" })}`);
  await until(() => expect(client.frames[2]).toContain("connection"));
  const given = (JSON.parse(client.frames[1]?.slice(2) ?? "") as { pid: string }).pid;
  const pings = () => client.frames.filter((frame) => frame === "2").length;
  return {
    ...client,
    pid: given,
    pings,
    ask: (name: string, ids: Record<string, string>) =>
      client.send(`42${JSON.stringify([name, ids])}`),
    /** The events since the join: `job:update DELIVERED`. */
    told: () =>
      client.frames
        .slice(3)
        .filter((frame) => frame.startsWith("42"))
        .map((frame) => JSON.parse(frame.slice(2)) as [string, { status?: string }])
        .map(([name, { status }]) => (status === undefined ? name : `${name} ${status}`)),
  };
}

/** Separates the packets of a request in protocol 4 of Engine.IO. */
const SEPARATOR = "\u001e";

/** Kept-alive connections of these clients would hide connections that the server fails to close. */
const headers = { connection: "close" };

/** A client that polls only on request, and so as slowly as a test needs. */
export async function openPolling(server: string) {
  const url = `${server}/socket.io/?EIO=4&transport=polling`;
  const opened = await (await fetch(url, { headers })).text();
  const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
  return {
    sid,
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

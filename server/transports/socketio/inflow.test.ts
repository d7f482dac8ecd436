/** The cost of an Engine.IO WebSocket whose client keeps sending and reads nothing. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { timesOf } from "#test/long-run.ts";
import { openTestServer, type TestServer, until } from "#test/transports/socketio.fixture.ts";

const MARK = 64 * 1024;
/** The high-water mark, plus the answers to messages that had arrived when it was reached. */
const BOUND = 4 * MARK;
const TEXT = 0x1;
const PING = 0x9;

let server: TestServer;
afterEach(async () => {
  await server.close();
});

/** A raw WebSocket client that never reads. */
async function openDeaf(query = ""): Promise<Socket> {
  const { port } = new URL(server.url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  socket.write(
    [
      `GET /socket.io/?EIO=4&transport=websocket${query} HTTP/1.1`,
      `Host: localhost:${port}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
      "\r\n",
    ].join("\r\n"),
  );
  await once(socket, "data");
  socket.pause();
  return socket;
}

function frame(opcode: number, payload: string): Buffer {
  return Buffer.concat([
    Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]),
    Buffer.from(payload),
  ]);
}

/** The server's socket of the newest connection. */
const theirs = () => server.sockets.at(-1) as Duplex;

async function newSession(): Promise<string> {
  const opened = await (await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`)).text();
  return (JSON.parse(opened.slice(1)) as { sid: string }).sid;
}

const FLOODS: [what: string, open: () => Promise<Socket>, flood: Buffer][] = [
  ["pings before it joins", openDeaf, frame(PING, "x".repeat(125))],
  [
    "requests that are refused",
    async () => {
      const socket = await openDeaf();
      socket.write(frame(TEXT, "40"));
      return socket;
    },
    frame(TEXT, '421["subscribe:job",{}]'),
  ],
  [
    "pings after it joined",
    async () => {
      const socket = await openDeaf();
      socket.write(frame(TEXT, "40"));
      return socket;
    },
    frame(PING, "x".repeat(125)),
  ],
  [
    "probes of an upgrade",
    async () => openDeaf(`&sid=${await newSession()}`),
    frame(TEXT, "2probe"),
  ],
];

// The last two take most of the time; `e2e/hostile/unread.ts` sends both in each run.
test.each(FLOODS.slice(0, timesOf(2, 4)))(
  "[H3] the server stops reading from a client that sends %s and reads nothing, and closes it",
  async (_what, open, message) => {
    server = await openTestServer({ backpressure: { highWaterBytes: MARK, stallTimeoutMs: 200 } });
    const socket = await open();
    const end = theirs();
    let most = 0;
    let paused = false;
    const watch = setInterval(() => {
      most = Math.max(most, end.writableLength);
      paused ||= end.isPaused();
    }, 1);
    onTestFinished(() => clearInterval(watch));
    const flood = Buffer.concat(Array<Buffer>(2000).fill(message));
    const send = () => {
      while (!socket.destroyed && socket.write(flood));
    };
    socket.on("drain", send);
    send();
    await until(() => expect(end.destroyed).toBe(true));
    expect(paused).toBe(true);
    expect(most).toBeLessThan(BOUND);
  },
);

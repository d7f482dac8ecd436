/** The cost of an Engine.IO WebSocket whose client keeps sending and reads nothing. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { openRaw } from "#test/transports/socketio-raw-client.ts";
import {
  createJob,
  openTestServer,
  type TestServer,
  until,
} from "#test/transports/socketio.fixture.ts";

const MARK = 64 * 1024;
/** The high-water mark, plus the answers to messages that had arrived when it was reached. */
const BOUND = 4 * MARK;
const TEXT = 0x1;
const PING = 0x9;

let server: TestServer;
afterEach(async () => {
  await server.close();
});

const openBounded = (stallTimeoutMs: number) =>
  openTestServer({ backpressure: { highWaterBytes: MARK, stallTimeoutMs } });

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
    "pings after it joined",
    async () => {
      const socket = await openDeaf();
      socket.write(frame(TEXT, "40"));
      return socket;
    },
    frame(PING, "x".repeat(125)),
  ],
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
    "probes of an upgrade",
    async () => openDeaf(`&sid=${await newSession()}`),
    frame(TEXT, "2probe"),
  ],
];

test.each(FLOODS)(
  "[H3] the server stops reading from a client that sends %s and reads nothing, and closes it",
  async (_what, open, message) => {
    server = await openBounded(200);
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

const ASKED = 30_000;

/** A client that has sent `ASKED` requests for one job and has read no answer. */
async function openAsking() {
  const jobId = await createJob(server.engine);
  const client = openRaw(
    `${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`,
  );
  await until(() => expect(client.frames).toHaveLength(1));
  client.send("40");
  await until(() => expect(client.frames).toHaveLength(3));
  client.pause();
  const request = `["subscribe:job",${JSON.stringify({ job_id: jobId })}]`;
  for (let n = 0; n < ASKED; n++) client.send(`42${n}${request}`);
  return client;
}

const allAnswered = (client: { frames: string[] }) =>
  until(() => {
    const answers = client.frames.filter((text) => text.startsWith("43")).length;
    expect(answers).toBe(ASKED);
  });

test("[H3] the server reads again from a client that reads late, and the client misses nothing", async () => {
  server = await openBounded(60_000);
  const client = await openAsking();
  await until(() => expect(theirs().isPaused()).toBe(true));
  client.resume();
  await allAnswered(client);
});

test("[H3] while the engine is slow, the server stops reading requests, and later answers each", async () => {
  const engineAnswers = Promise.withResolvers<void>();
  server = await openTestServer({
    backpressure: { highWaterBytes: MARK, stallTimeoutMs: 60_000 },
    wrap: (engine) => ({
      ...engine,
      getSummary: async (...args) => {
        await engineAnswers.promise;
        return await engine.getSummary(...args);
      },
    }),
  });
  const client = await openAsking();
  client.resume();
  const socket = theirs() as Socket;
  let read = -1;
  await until(() => {
    const before = read;
    read = socket.bytesRead;
    expect([socket.isPaused(), read]).toEqual([true, before]);
  });
  engineAnswers.resolve();
  await allAnswered(client);
  expect((ASKED * read) / socket.bytesRead).toBeLessThan(5000);
});

/** Random input from many clients grows nothing in the server and disturbs no other client. */
import type { EventEmitter } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { timesOf } from "#test/long-run.ts";
import { type DrivenServer, startDrivenServer } from "./driven-server.ts";
import { cut, mutate, type Random, randomFrom } from "./mutate.ts";
import { postChunks } from "./raw-clients.ts";
import { WITNESSES } from "./witness.ts";

const FRAMES = timesOf(20_000, 50_000);
const CLIENTS = 50;
const FRAMES_A_ROUND = 2500;
const POSTS_A_ROUND = 20;
const EVENTS_A_ROUND = 20;
const MAY_GROW = 8 * 1024 * 1024;
/** Printed by failures, to repeat the run. */
const SEED = Date.now() % 1_000_000;

let server: DrivenServer;
beforeEach(async () => {
  server = await startDrivenServer();
});
afterEach(async () => {
  await server.stop();
});

const trpcTexts = (jobId: string) => [
  `{"id":1,"method":"query","params":{"path":"job.get","input":{"json":{"jobId":"${jobId}"}}}}`,
  `{"id":2,"jsonrpc":"2.0","method":"query","params":{"path":"job.list","input":{"json":{"limit":1}}}}`,
  `{"id":3,"method":"subscription","params":{"path":"job.onUpdate","input":{"json":{"jobId":"${jobId}","lastEventId":"0"}}}}`,
  `{"id":"x","method":"subscription","params":{"path":"feed.onUpdate","input":{"json":{}},"lastEventId":"1"}}`,
  `{"id":3,"method":"subscription.stop"}`,
  `{"id":4,"method":"mutation","params":{"path":"job.retry","input":{"json":{"jobId":"${jobId}"}}}}`,
  `{"method":"connectionParams","data":{"token":"x"}}`,
  `[{"id":5,"method":"query","params":{"path":"kind.list","input":{}}},{"id":6,"method":"query","params":{"path":"system.info","input":{}}}]`,
  `{"id":7,"method":"query","params":{"path":"job.list","input":{"json":{"limit":1,"status":null},"meta":{"values":{"status":["undefined"]},"v":1}}}}`,
  `{"id":8,"method":"subscription","params":{"path":"feed.onUpdate","input":{"json":{"length":2000000000},"meta":{"values":[["typed-array","Uint8Array"]]}}}}`,
  "PING",
  "PONG",
];

const socketioTexts = (jobId: string) => [
  "40",
  '40{"token":"x"}',
  `42["subscribe:job",{"job_id":"${jobId}"}]`,
  `420["subscribe:job",{"job_id":"${jobId}"}]`,
  `42["unsubscribe:job",{"job_id":"${jobId}"}]`,
  `42["subscribe:batch",{"batch_id":"${jobId}"}]`,
  '42["no:such",1,2,3]',
  '451-["subscribe:job",{"_placeholder":true,"num":0}]',
  "2",
  "3",
  "1",
  "41",
  "5",
  "6",
];

/** Sends a text, mostly as a text frame. */
function say(ws: WebSocket, text: string, random: Random): void {
  switch (random.int(20)) {
    case 0:
      return ws.send(Buffer.from(text));
    case 1:
      return ws.ping(Buffer.from(text).subarray(0, 125));
    case 2:
      return ws.pong(Buffer.from(text).subarray(0, 125));
    case 3:
      for (const piece of cut(text, random)) {
        ws.send(piece, { fin: false });
        if (random.int(4) === 0) ws.ping();
      }
      return ws.send("");
    default:
      return ws.send(text);
  }
}

/** Posts bodies in chunks, finished and unfinished. */
async function mumble(url: string, paths: string[], texts: string[], random: Random) {
  for (let post = 0; post < POSTS_A_ROUND; post += 1) {
    const chunks = cut(mutate(random.pick(texts), random), random).filter((each) => each !== "");
    await postChunks(url + random.pick(paths), chunks, { unfinished: random.int(4) === 0 });
  }
}

/** Like `once`, which would reject at the error of a connection that the server ends, or does not take. */
const event = (from: EventEmitter, name: string) =>
  new Promise<void>((resolve) => from.once(name, () => resolve()));

/** Sends its share, over as many connections as it is refused on. One that does not open counts as a frame. */
async function babble(url: string, texts: string[], count: number, random: Random): Promise<void> {
  let left = count;
  while (left > 0) {
    const ws = new WebSocket(url);
    ws.on("error", () => {});
    const closed = event(ws, "close");
    await Promise.race([event(ws, "open"), closed]);
    if (ws.readyState === WebSocket.CLOSED) left -= 1;
    for (let burst = 0; burst < 200 && left > 0 && ws.readyState === WebSocket.OPEN; burst++) {
      left -= 1;
      say(ws, mutate(random.pick(texts), random), random);
      if (burst % 20 === 19) await new Promise((resolve) => ws.send("", resolve));
    }
    if (ws.readyState === WebSocket.CLOSED) continue;
    if (random.int(2) === 0) ws.close();
    else ws.terminate();
    await closed;
  }
}

/** Writes bytes that are not frames on an upgraded connection. */
async function scribble(url: string, path: string, random: Random): Promise<void> {
  const { port, host } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${"x".repeat(22)}==\r\n\r\n`,
  );
  const closed = event(socket, "close");
  await Promise.race([event(socket, "data"), closed]);
  socket.write(Buffer.from(Array.from({ length: random.int(200) }, () => random.int(256))));
  socket.end();
  socket.resume();
  await closed;
}

test.each([
  [
    "/trpc",
    "/trpc",
    trpcTexts,
    [
      "/trpc/job.retry",
      "/trpc/job.retry,batch.cancel?batch=1",
      "/trpc/no.such",
      "/trpc/",
      "/api/v1/jobs",
      "/api/v1/schedules?x=1",
    ],
  ],
  [
    "/socket.io",
    "/socket.io/?EIO=4&transport=websocket",
    socketioTexts,
    ["/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=4&transport=polling&sid=x"],
  ],
])(
  "[S1] [S2] [L4] random frames and bodies at %s end nothing, grow nothing, and disturb no other client",
  async (_name, path, textsOf, posted) => {
    const jobId = await server.startJob();
    const witnesses = WITNESSES.map((open) => open(server.url, jobId));
    const target = server.url.replace("http", "ws") + path;
    const random = randomFrom(SEED);
    const round = async () => {
      const emitting = server.emit(jobId, EVENTS_A_ROUND, 50);
      const attacks = [
        ...Array.from({ length: CLIENTS }, () =>
          babble(target, textsOf(jobId), FRAMES_A_ROUND / CLIENTS, random),
        ),
        ...Array.from({ length: 5 }, () => scribble(server.url, path, random)),
        mumble(server.url, posted, textsOf(jobId), random),
      ];
      await Promise.race([server.ended, Promise.all([...attacks, emitting])]);
    };
    const used = async () => {
      // A client has closed its connection before a busy server has read all that it sent.
      await vi.waitFor(async () =>
        expect(await server.gauge("jobwire_watches")).toBe(witnesses.length),
      );
      const { heapUsed, external } = await server.memory();
      return heapUsed + external;
    };

    const rounds = FRAMES / FRAMES_A_ROUND;
    for (let n = 0; n < rounds / 4; n++) await round();
    const before = await used();
    for (let n = rounds / 4; n < rounds; n++) await round();
    expect((await used()) - before, `memory, seed ${SEED}`).toBeLessThan(MAY_GROW);

    await server.deliver(jobId);
    await vi.waitFor(
      () => expect(witnesses.every((each) => each.newest() === "DELIVERED")).toBe(true),
      { timeout: 120_000 },
    );
    const log = await server.logOf(jobId);
    expect(log.length).toBe(rounds * EVENTS_A_ROUND + 3);
    for (const witness of witnesses) {
      expect(witness.faults(log), `${witness.name}, seed ${SEED}`).toEqual([]);
      witness.leave();
    }
    expect(server.complaints(), `seed ${SEED}`).toBe("");
  },
);

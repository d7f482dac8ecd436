import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import type { Engine } from "#server/engine/contract.ts";
import { openPolling, openRaw } from "#test/transports/socketio-raw-client.ts";
import {
  createJob,
  openTestServer,
  startJob,
  type TestServer,
  until,
} from "#test/transports/socketio.fixture.ts";

let server: TestServer;
afterEach(async () => {
  await server.close();
});

/** The server's socket of the newest connection. */
const theirs = () => server.sockets.at(-1) as Socket;

const request = (action: string, job_id: string, ack = "") =>
  `42${ack}${JSON.stringify([`${action}:job`, { job_id }])}`;

/** Opens a server whose engine reads no job until `answer()`, and counts the reads that wait. */
async function openSlow(options: Parameters<typeof openTestServer>[0] = {}) {
  const answers = Promise.withResolvers<void>();
  let reads = 0;
  server = await openTestServer({
    ...options,
    wrap: (engine: Engine): Engine => ({
      ...engine,
      async getSummary(...args) {
        reads += 1;
        await answers.promise;
        return await engine.getSummary(...args);
      },
    }),
  });
  return { reads: () => reads, answer: () => answers.resolve() };
}

async function joined() {
  const client = await openPolling(server.url);
  await client.post("40");
  await client.poll();
  return client;
}

test("[L4] the requests of a client run a few at a time, in their order, and each is answered", async () => {
  const engine = await openSlow();
  const jobIds = await Promise.all(Array.from({ length: 200 }, () => createJob(server.engine)));
  const client = await joined();
  await client.post(
    ...jobIds.map((id, n) => request("subscribe", id, String(n))),
    ...jobIds.map((id, n) => request("unsubscribe", id, String(200 + n))),
  );
  expect(engine.reads()).toBe(64);
  engine.answer();
  const answered: number[] = [];
  while (answered.length < 400) {
    const { packets } = await client.poll();
    for (const packet of packets) {
      if (packet.startsWith("43")) answered.push(Number.parseInt(packet.slice(2), 10));
    }
  }
  expect(answered.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, n) => n));
  expect(server.watches()).toBe(0);
});

test("[L4] a client that leaves while its requests wait costs nothing more", async () => {
  const engine = await openSlow();
  const jobIds = await Promise.all(Array.from({ length: 200 }, () => createJob(server.engine)));
  const client = await joined();
  await client.post(...jobIds.map((id) => request("subscribe", id)));
  await client.post("41");
  engine.answer();
  const reader = server.connect();
  reader.socket.emit("subscribe:job", { job_id: jobIds.at(-1) });
  await until(() => expect(reader.named("subscribed")).toHaveLength(1));
  expect(engine.reads()).toBe(65);
  expect(server.watches()).toBe(1);
});

/** Opens the WebSocket of a polling session, up to the answer to its probe. */
async function openUpgrade(sid: string) {
  const ws = new WebSocket(
    `${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket&sid=${sid}`,
  );
  onTestFinished(() => ws.terminate());
  const told: string[] = [];
  ws.on("message", (data: Buffer) => told.push(data.toString()));
  await once(ws, "open");
  ws.send("2probe");
  await until(() => expect(told).toEqual(["3probe"]));
  return { ws, told };
}

test("[L4] the server does not read from a WebSocket while the requests of its polling time wait", async () => {
  const engine = await openSlow();
  const jobId = await createJob(server.engine);
  const client = await joined();
  await client.post(...Array<string>(3000).fill(request("subscribe", jobId)));
  const { ws, told } = await openUpgrade(client.sid);
  ws.send("5");
  await until(() => expect(theirs().isPaused()).toBe(true));
  ws.send(request("subscribe", jobId, "7"));
  engine.answer();
  await until(() => expect(told).toContain('437[{"ok":true}]'));
  await (await startJob(server.engine, jobId)).deliver();
  await until(() => expect(told.join()).toContain("job:completed"));
});

test("[L4] a client that leaves while its requests wait may join again, upgrade and ask", async () => {
  server = await openTestServer();
  const jobId = await createJob(server.engine);
  const client = await joined();
  // The answers to the first requests fill the writer, so that the others wait while none runs.
  await client.post(...Array<string>(100).fill(request("subscribe", jobId, "1")));
  const other = server.connect();
  other.socket.emit("subscribe:job", { job_id: jobId });
  await until(() => expect(other.named("subscribed")).toHaveLength(1));
  await client.post(...Array<string>(3000).fill(request("subscribe", jobId)));
  await client.post("41");
  await client.post("40");
  await client.poll();
  const { ws, told } = await openUpgrade(client.sid);
  ws.send("5");
  // The server may read the first one together with the upgrade.
  for (const ack of ["7", "8"]) {
    ws.send(request("subscribe", jobId, ack));
    await until(() => expect(told).toContain(`43${ack}[{"ok":true}]`));
  }
});

const BACKPRESSURE = { highWaterBytes: 64 * 1024, stallTimeoutMs: 60_000 };
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
  server = await openTestServer({ backpressure: BACKPRESSURE });
  const client = await openAsking();
  await until(() => expect(theirs().isPaused()).toBe(true));
  client.resume();
  await allAnswered(client);
});

test("[H3] while the engine is slow, the server stops reading requests, and later answers each", async () => {
  const engine = await openSlow({ backpressure: BACKPRESSURE });
  const client = await openAsking();
  client.resume();
  const socket = theirs();
  let read = -1;
  await until(() => {
    const before = read;
    read = socket.bytesRead;
    expect([socket.isPaused(), read]).toEqual([true, before]);
  });
  engine.answer();
  await allAnswered(client);
  expect((ASKED * read) / socket.bytesRead).toBeLessThan(5000);
});

test("[H3] a client that takes nothing while its requests wait is closed", async () => {
  const engine = await openSlow({
    backpressure: { highWaterBytes: 1024 * 1024, stallTimeoutMs: 200 },
  });
  await openAsking();
  await until(() => expect(theirs().isPaused()).toBe(true));
  engine.answer();
  await until(() => expect(theirs().destroyed).toBe(true));
});

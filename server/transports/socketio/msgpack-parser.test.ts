/** Clients with `socket.io-msgpack-parser`, beside the suite of all transports. */
import type { Socket as ServerSocket } from "node:net";
import { io } from "socket.io-client";
import * as parser from "socket.io-msgpack-parser";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import {
  createBatch,
  createJob,
  type Note,
  openTestServer,
  startJob,
  type TestServer,
  until,
} from "#test/transports/socketio.fixture.ts";
import { MsgpackDecoder, MSGPACK_PARSER } from "./msgpack-parser.ts";
import { MAX_CONNECTS } from "./packet-limits.ts";

const PATH = "/socket.io-msgpack";
describe("a server", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await openTestServer();
  });
  afterEach(() => server.close());

  const inMsgpack = { path: PATH, parser, transports: ["websocket"] };

  test.each(["websocket", "polling"])(
    "[F3] over %s, clients of both parsers receive the same events",
    async (transport) => {
      const jobId = await createJob(server.engine);
      const { batchId, jobIds } = await createBatch(server.engine, 2);
      const options = { transports: [transport] };
      const clients = [server.connect(options), server.connect({ ...inMsgpack, ...options })];
      for (const { socket, named } of clients) {
        for (const [name, payload] of [
          ["subscribe:job", { job_id: jobId }],
          ["subscribe:batch", { batch_id: batchId }],
          ["unsubscribe:batch", { batch_id: batchId }],
          ["subscribe:feed", {}],
        ] as const) {
          expect(await socket.emitWithAck(name, payload)).toEqual({ ok: true });
        }
        expect(await socket.emitWithAck("subscribe:job", { job_id: 7 })).toMatchObject({
          ok: false,
          error: { code: "BAD_REQUEST" },
        });
        await until(() => expect(named("job:update").length).toBe(2 + jobIds.length));
      }
      const job = await startJob(server.engine, jobId);
      await job.progress(40, "\u00e9 \u{1f600}");
      await job.fail("x".repeat(70_000));
      for (const { named } of clients) {
        await until(() => expect(named("job:error")).toHaveLength(1));
        await until(() => expect(named("job:update").at(-1)).toMatchObject({ status: "ABORTED" }));
      }
      const [json = [], msgpack = []] = clients.map(({ named }) =>
        ["subscribed", "subscription:error", "job:error", "batch:update"].map(named),
      );
      expect(msgpack).toEqual(json);
    },
  );

  test("[F3] [L5] a client that comes back with another parser has its subscriptions, and its earlier connection ends", async () => {
    const jobId = await createJob(server.engine);
    const first = server.connect({ transports: ["websocket"] });
    expect(await first.socket.emitWithAck("subscribe:job", { job_id: jobId })).toEqual({
      ok: true,
    });
    const { _pid: pid } = first.socket as unknown as { _pid: string };
    const second = server.connect({ ...inMsgpack, auth: { pid } });
    await until(() => expect(second.named("job:update")).toMatchObject([{ job_id: jobId }]));
    await until(() => expect(first.socket.connected).toBe(false));
    await until(() => expect(server.watches()).toBe(1));
    const third = server.connect({ transports: ["websocket"], auth: { pid } });
    await until(() => expect(third.named("job:update")).toMatchObject([{ job_id: jobId }]));
    await until(() => expect(second.socket.connected).toBe(false));
  });

  test("[F3] a client in MessagePack reconnects by itself after a break, and resumes", async () => {
    const jobId = await createJob(server.engine);
    const client = server.connect({ ...inMsgpack, reconnection: true, reconnectionDelay: 10 });
    await client.socket.emitWithAck("subscribe:job", { job_id: jobId });
    for (const socket of server.sockets as ServerSocket[]) socket.destroy();
    await (await startJob(server.engine, jobId)).deliver();
    await until(() => expect(client.named("job:completed")).toHaveLength(1));
    client.socket.disconnect();
  });

  test("a client with the wrong parser for the path loses its own connection, and gets no events", async () => {
    const notes: Note[] = [];
    const wrong = [
      io(server.url, { path: PATH, forceNew: true, reconnection: false }),
      io(server.url, { parser, forceNew: true, reconnection: false, transports: ["websocket"] }),
    ];
    for (const socket of wrong)
      socket.onAny((name: string, ...args) => notes.push([name, ...args]));
    const reasons = await Promise.all(
      wrong.map(
        (socket) =>
          new Promise((resolve) => {
            socket.io.on("close", resolve);
          }),
      ),
    );
    expect(reasons).toHaveLength(2);
    expect(notes).toEqual([]);
    const good = server.connect(inMsgpack);
    await until(() => expect(good.named("connection")).toHaveLength(1));
  });

  test("pages of other origins are refused at the path as at Socket.IO's own", async () => {
    const ask = (path: string, origin: string) =>
      fetch(`${server.url}${path}/?EIO=4&transport=polling`, { headers: { origin } });
    for (const path of ["/socket.io", PATH]) {
      expect((await ask(path, "http://allowed.test")).status).toBe(200);
      expect((await ask(path, "http://foreign.test")).status).toBe(403);
      const ws = new WebSocket(
        `${server.url.replace("http", "ws")}${path}/?EIO=4&transport=websocket`,
        { headers: { origin: "http://foreign.test" } },
      );
      expect(await new Promise((resolve) => ws.once("error", resolve))).toMatchObject({
        message: expect.stringContaining("403"),
      });
    }
    // A session of one parser is none of the other.
    const opened = await (await ask(PATH, "http://allowed.test")).text();
    const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
    const other = `${server.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    expect((await fetch(other, { method: "POST", body: "40" })).status).toBe(400);
    expect((await fetch(`${server.url}${PATH}/?EIO=3&transport=polling`)).status).toBe(400);
  });
});

const { Encoder } = MSGPACK_PARSER;
const bytesOf = (packet: object) => new Encoder().encode(packet)[0] as Buffer;

test("packets arrive as the client's parser reads them, and without what the protocol does not have", () => {
  const event = { type: 2, nsp: "/", data: ["a", { b: [1, null] }], id: 7 };
  const decoder = new MsgpackDecoder();
  const seen: unknown[] = [];
  decoder.on("decoded", (packet) => seen.push(packet));
  decoder.add(bytesOf({ ...event, options: { compress: true }, __proto: 1 }));
  decoder.add(bytesOf({ type: 1, nsp: "/" }));
  expect(seen).toEqual([event, { type: 1, nsp: "/", data: undefined, id: undefined }]);
  const theirs: unknown[] = [];
  const client = new parser.Decoder();
  client.on("decoded", (packet: unknown) => theirs.push(packet));
  client.add(bytesOf(event));
  expect(theirs).toEqual([event]);
});

test("[F3] a packet without data may have nil in its place, as python-socketio writes it", () => {
  const decoder = new MsgpackDecoder();
  const seen: unknown[] = [];
  decoder.on("decoded", (packet) => seen.push(packet));
  for (const type of [0, 1]) decoder.add(bytesOf({ type, data: null, nsp: "/" }));
  expect(seen).toMatchObject([
    { type: 0, data: undefined },
    { type: 1, data: undefined },
  ]);
});

test.each<[string, unknown]>([
  ["a text", "42[]"],
  ["an unknown type", bytesOf({ type: 9, nsp: "/", data: [] })],
  ["no namespace", bytesOf({ type: 0 })],
  ["a reserved name", bytesOf({ type: 2, nsp: "/", data: ["disconnect", "forced"] })],
  ["a negative id", bytesOf({ type: 2, nsp: "/", data: ["a"], id: -1 })],
  ["data of a join that are a list", bytesOf({ type: 0, nsp: "/", data: [] })],
])("[L4] a packet that is %s is refused", (_name, packet) => {
  expect(() => new MsgpackDecoder().add(packet)).toThrow(/packet/);
});

test("[H5] a connection joins a few times at most", () => {
  const decoder = new MsgpackDecoder();
  const join = bytesOf({ type: 0, nsp: "/" });
  for (let n = 0; n < MAX_CONNECTS; n++) decoder.add(join);
  expect(() => decoder.add(join)).toThrow("too often");
});

import { randomText } from "#test/random-text.ts";
import { afterEach, describe, expect, test } from "vitest";
import type { LegacyAnswer } from "#shared/legacy.ts";
import { openPolling, openRaw } from "#test/transports/socketio-raw-client.ts";
import {
  type Client,
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

const UNKNOWN = "00000000-0000-7000-8000-000000000000";

const call = async (client: Client, name: string, payload: unknown): Promise<LegacyAnswer> =>
  (await client.socket.timeout(120_000).emitWithAck(name, payload)) as LegacyAnswer;

const wanted = (name: string, field: string) =>
  `"${name}" takes an object with a text of 1 to 200 characters, in well-formed Unicode, in "${field}".`;

const progressOf = (client: Client) =>
  client.named("job:update").map((payload) => (payload as { progress: number }).progress);

test("[Q8] [L1] a client that asks why a job waits is told in the answer, and its events stay as they are", async () => {
  server = await openTestServer();
  const jobId = await createJob(server.engine);
  await createJob(server.engine);
  const last = await createJob(server.engine);
  const client = server.connect();
  await call(client, "subscribe:job", { job_id: last });
  expect(await call(client, "waiting:job", { job_id: jobId })).toEqual({
    ok: true,
    waiting: { reason: "queued", ahead: 0, message: "It starts when a worker is free" },
  });
  expect(await call(client, "waiting:job", { job_id: last })).toEqual({
    ok: true,
    waiting: { reason: "queued", ahead: 2, message: "2 jobs are before it" },
  });
  await server.engine.change(last, { action: "cancel" }, new Date());
  expect(await call(client, "waiting:job", { job_id: last })).toEqual({ ok: true, waiting: null });
  expect(await call(client, "waiting:job", { job_id: UNKNOWN })).toMatchObject({
    ok: false,
    error: { code: "NOT_FOUND" },
  });
  expect(client.named("subscription:error")).toMatchObject([{ job_id: UNKNOWN }]);
  await until(() => expect(client.named("job:error")).toHaveLength(1));
  expect(client.named("job:update")).toMatchObject([
    { status: "PENDING", message: "Job created and queued for processing" },
    { status: "ABORTED" },
  ]);
});

describe("hostile input", () => {
  const deep = JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`) as unknown;
  const PAYLOADS: [string, unknown][] = [
    ["null", null],
    ["a number", 7],
    ["a text", "job-123"],
    ["a text of a megabyte", randomText(1024 * 1024)],
    ["a list", ["job_id"]],
    ["a deep list", deep],
    ["an empty object", {}],
    ["an id that is empty", { job_id: "" }],
    ["an id that is too long", { job_id: "x".repeat(201) }],
    ["an id of a megabyte", { job_id: randomText(1024 * 1024) }],
    ["an id that is a number", { job_id: 7 }],
    ["an id that is an object", { job_id: { $ne: null } }],
    ["an id that is a list", { job_id: [UNKNOWN] }],
    ["an id in the prototype", JSON.parse(`{"__proto__":{"job_id":"${UNKNOWN}"}}`)],
    ["bytes", Buffer.from("job")],
    ["an id of bytes", { job_id: Buffer.from("job") }],
  ];

  test.each(PAYLOADS)(
    "[L4] %s is refused with the correct form, and affects no other client",
    async (_n, payload) => {
      server = await openTestServer();
      const jobId = await createJob(server.engine);
      const good = server.connect();
      await call(good, "subscribe:job", { job_id: jobId });
      const bad = server.connect();
      for (const [name, field] of [
        ["subscribe:job", "job_id"],
        ["waiting:job", "job_id"],
        ["unsubscribe:job", "job_id"],
        ["subscribe:batch", "batch_id"],
        ["unsubscribe:batch", "batch_id"],
      ] as const) {
        const error = { code: "BAD_REQUEST", message: wanted(name, field) };
        expect(await call(bad, name, payload)).toEqual({ ok: false, error });
        expect(bad.notes.at(-1)).toEqual(["subscription:error", error]);
      }
      await (await startJob(server.engine, jobId)).deliver();
      await until(() => expect(progressOf(good)).toEqual([0, 10, 100]));
      // A refused client may still send a correct request.
      expect(await call(bad, "subscribe:job", { job_id: jobId })).toEqual({ ok: true });
    },
  );

  test("[L4] an unknown event name is answered with the known names", async () => {
    server = await openTestServer();
    const { socket, named } = server.connect();
    const names = ["subscribe:jobs", "message", "error", "__proto__", "toString", "x".repeat(1000)];
    for (const name of names) socket.emit(name, {});
    await until(() => expect(named("subscription:error")).toHaveLength(names.length));
    expect(named("subscription:error").at(0)).toEqual({
      code: "BAD_REQUEST",
      message:
        '"subscribe:jobs" is not an event of this server. Use subscribe:job, unsubscribe:job, subscribe:batch, unsubscribe:batch, subscribe:presence, unsubscribe:presence, typing:start, typing:stop, waiting:job, subscribe:feed, unsubscribe:feed, auth:refresh.',
    });
    expect(JSON.stringify(named("subscription:error").at(-1)).length).toBeLessThan(400);
  });

  test("[L4] a name that is cut at an emoji is shown in well-formed Unicode", async () => {
    server = await openTestServer();
    const { socket, named } = server.connect();
    socket.emit(`${"x".repeat(39)}😀`, {});
    await until(() => expect(named("subscription:error")).toHaveLength(1));
    expect(named("subscription:error")).toEqual([
      {
        code: "BAD_REQUEST",
        message: expect.stringContaining(`"${"x".repeat(39)}…" is not an event of this server.`),
      },
    ]);
  });

  test("[L4] missing, additional and misplaced arguments do no harm", async () => {
    server = await openTestServer();
    const jobId = await createJob(server.engine);
    const client = server.connect();
    client.socket.emit("subscribe:job");
    expect(await client.socket.emitWithAck("subscribe:job")).toMatchObject({ ok: false });
    client.socket.emit("subscribe:job", { job_id: jobId }, "not an acknowledgement", 7, null);
    await until(() => expect(client.named("job:update")).toHaveLength(1));
    expect(client.named("subscription:error")).toHaveLength(2);
  });

  test.each([
    ["a packet of no type", "49{}"],
    ["broken JSON", '42["subscribe:job",{"job_id":'],
    ["an event of no use", '42["subscribe:job",{}]'],
    ["an event that is not a list", "42{}"],
    ["a reserved name", '42["disconnect"]'],
    ["attachments without end", '459999-["subscribe:job",{"_placeholder":true,"num":0}]'],
    ["an answer to nothing", "43999[1]"],
    ["a heartbeat of the wrong side", "2"],
    ["a packet that Engine.IO does not know", "9"],
    ["an unexpected binary frame", Buffer.from([1, 2, 3])],
    ["a message that is too large", `42["subscribe:job","${"x".repeat(2 * 1024 * 1024)}"]`],
  ])("[L4] %s closes at most its sender's connection", async (_name, frame) => {
    server = await openTestServer();
    const jobId = await createJob(server.engine);
    const good = server.connect({ transports: ["websocket"] });
    await call(good, "subscribe:job", { job_id: jobId });
    for (const joining of [[], ["40"]]) {
      const bad = openRaw(
        `${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`,
      );
      await until(() => expect(bad.frames).toHaveLength(1));
      for (const packet of joining) bad.send(packet);
      // A client that joined gets CONNECT and the greeting.
      await until(() => expect(bad.frames).toHaveLength(1 + 2 * joining.length));
      bad.send(frame);
      bad.close();
      await bad.closed;
    }
    await (await startJob(server.engine, jobId)).deliver();
    await until(() => expect(progressOf(good)).toEqual([0, 10, 100]));
    expect(server.faults).toEqual([]);
  });

  test("[L4] a request in one message with a disconnect starts nothing", async () => {
    server = await openTestServer();
    const jobId = await createJob(server.engine);
    const raw = await openPolling(server.url);
    await raw.post("40");
    await raw.poll();
    await raw.post("41", `42["subscribe:job",${JSON.stringify({ job_id: jobId })}]`);
    const other = server.connect();
    await call(other, "unsubscribe:job", { job_id: "nothing" });
    expect(server.watches()).toBe(0);
  });
});

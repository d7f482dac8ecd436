import { afterEach, describe, expect, test } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { withOutage } from "#test/streams/streams.fixture.ts";
import type { LegacyAnswer } from "#shared/legacy.ts";
import {
  type Client,
  createBatch,
  createJob,
  openTestServer,
  startJob,
  type TestServer,
  until,
} from "#test/transports/socketio.fixture.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";

let server: TestServer;
afterEach(async () => {
  await server.close();
});

const UNKNOWN = "00000000-0000-7000-8000-000000000000";

const call = async (client: Client, name: string, payload: unknown): Promise<LegacyAnswer> =>
  (await client.socket.timeout(120_000).emitWithAck(name, payload)) as LegacyAnswer;

/** Resolves when the first state has arrived, which the server reads only after the acknowledgement. */
async function watchJob(client: Client, jobId: string): Promise<void> {
  expect(await call(client, "subscribe:job", { job_id: jobId })).toEqual({ ok: true });
  await until(() => expect(client.named("job:update")).toMatchObject([{ job_id: jobId }]));
}

/** Resolves when the server has answered everything that the client has sent so far. */
const settled = (client: Client) => call(client, "unsubscribe:job", { job_id: "nothing" });

const namesOf = (client: Client) => client.notes.map(([name]) => name);
const progressOf = (client: Client) =>
  client.named("job:update").map((payload) => (payload as { progress: number }).progress);

/** A server whose reads fail until `back()`. */
async function openServerWithout(names: readonly (keyof Engine)[]) {
  let outage: ReturnType<typeof withOutage> | undefined;
  server = await openTestServer({
    wrap(engine: Engine) {
      outage = withOutage(engine, names);
      return outage.engine;
    },
  });
  return {
    tries: () => outage?.tries() ?? 0,
    back: () => outage?.back(),
  };
}

describe("a subscription", () => {
  test("[L2] reports a failure as job:error, then job:update, with progress 0 and the reason", async () => {
    server = await openTestServer();
    const jobId = await createJob(server.engine);
    const client = server.connect();
    await watchJob(client, jobId);
    const job = await startJob(server.engine, jobId);
    await job.fail("API key invalid");
    await until(() => expect(client.named("job:update")).toHaveLength(3));
    expect(namesOf(client).slice(-2)).toEqual(["job:error", "job:update"]);
    const [failure] = client.named("job:error");
    expect(failure).toMatchObject({
      job_id: jobId,
      status: "ABORTED",
      progress: 0,
      message: "Error: API key invalid",
    });
    expect(client.named("job:update").at(-1)).toEqual(failure);
  });

  test("[L2] shows a blocked job as job:update alone, and follows it to its approval", async () => {
    server = await openTestServer();
    const jobId = await createJob(server.engine);
    const client = server.connect();
    await call(client, "subscribe:job", { job_id: jobId });
    const job = await startJob(server.engine, jobId);
    await job.block("2 rules failed");
    await until(() =>
      expect(client.notes.at(-1)).toMatchObject(["job:update", { status: "BLOCKED" }]),
    );
    expect(namesOf(client)).not.toContain("job:completed");
    expect(namesOf(client)).not.toContain("job:error");
    await server.engine.change(jobId, { action: "approve" }, new Date());
    await until(() =>
      expect(client.notes.slice(-2)).toMatchObject([
        ["job:completed", { status: "DELIVERED", progress: 100 }],
        ["job:update", { status: "DELIVERED", progress: 100 }],
      ]),
    );
  });

  test("[L2] to a job that is settled shows how it ended, in the same order", async () => {
    server = await openTestServer();
    const jobId = await createJob(server.engine);
    await (await startJob(server.engine, jobId)).deliver();
    const client = server.connect();
    client.socket.emit("subscribe:job", { job_id: jobId });
    await until(() => expect(client.named("job:update")).toHaveLength(1));
    expect(namesOf(client)).toEqual(["connection", "subscribed", "job:completed", "job:update"]);
  });

  test("[L1] to a batch shows its aggregate, until every job is settled", async () => {
    server = await openTestServer();
    const { batchId, jobIds } = await createBatch(server.engine, 3);
    const client = server.connect();
    client.socket.emit("subscribe:batch", { batch_id: batchId });
    await until(() => expect(client.named("batch:update")).toHaveLength(1));
    expect(client.named("subscribed")).toEqual([{ batch_id: batchId }]);
    expect(client.named("batch:update")).toEqual([
      {
        batch_id: batchId,
        total: 3,
        completed: 0,
        progress: 0,
        status: "pending",
        message: "Batch created and queued for processing",
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      },
    ]);
    await (await startJob(server.engine, jobIds[0] ?? "")).deliver();
    await until(() =>
      expect(client.named("batch:update").at(-1)).toMatchObject({
        completed: 1,
        progress: 33,
        status: "running",
        message: "Processing batch...",
      }),
    );
    for (const id of jobIds.slice(1)) {
      await server.engine.change(id, { action: "cancel" }, new Date());
    }
    await until(() =>
      expect(client.named("batch:update").at(-1)).toMatchObject({
        completed: 3,
        progress: 100,
        status: "completed",
      }),
    );
    expect(await call(client, "unsubscribe:batch", { batch_id: batchId })).toEqual({ ok: true });
    expect(server.watches()).toBe(0);
  });

  test("[S1] made twice is confirmed twice with the current state, and doubles nothing that follows", async () => {
    server = await openTestServer();
    const jobId = await createJob(server.engine);
    const client = server.connect();
    // Twice before the first answer, and once more while the job runs.
    client.socket.emit("subscribe:job", { job_id: jobId });
    client.socket.emit("subscribe:job", { job_id: jobId });
    await until(() => expect(client.named("subscribed")).toHaveLength(2));
    const job = await startJob(server.engine, jobId);
    await until(() => expect(progressOf(client).at(-1)).toBe(10));
    client.notes.length = 0;

    await call(client, "subscribe:job", { job_id: jobId });
    await job.progress(20);
    await job.progress(30);
    await job.deliver();
    await until(() => expect(progressOf(client).at(-1)).toBe(100));
    expect(namesOf(client)).toEqual([
      "subscribed",
      "job:update",
      "job:update",
      "job:update",
      "job:completed",
      "job:update",
    ]);
    expect(progressOf(client)).toEqual([10, 20, 30, 100]);
    expect(server.watches()).toBe(1);
  });

  test("ends with unsubscribe, and can be made again", async () => {
    server = await openTestServer();
    const jobId = await createJob(server.engine);
    const client = server.connect();
    await watchJob(client, jobId);
    const job = await startJob(server.engine, jobId);
    await until(() => expect(progressOf(client)).toEqual([0, 10]));
    expect(await call(client, "unsubscribe:job", { job_id: jobId })).toEqual({ ok: true });
    expect(server.watches()).toBe(0);
    await job.progress(50);
    await settled(client);
    expect(progressOf(client)).toEqual([0, 10]);
    await call(client, "subscribe:job", { job_id: jobId });
    await until(() => expect(progressOf(client)).toEqual([0, 10, 50]));
  });

  test.each(["deliver", "fail"] as const)(
    "[L2] in one session sends the end of a job once: %s",
    async (how) => {
      server = await openTestServer();
      const jobId = await createJob(server.engine);
      const client = server.connect();
      const subscribe = () => call(client, "subscribe:job", { job_id: jobId });
      const ends = () => [...client.named("job:completed"), ...client.named("job:error")];
      await subscribe();
      await (await startJob(server.engine, jobId))[how]("API key invalid");
      await until(() => {
        expect(ends()).toHaveLength(1);
        // The update follows in a message of its own.
        expect(namesOf(client).at(-1)).toBe("job:update");
      });

      // Subscribe again while the job is watched, and again after unsubscribing.
      client.notes.length = 0;
      await subscribe();
      await until(() => expect(namesOf(client)).toEqual(["subscribed", "job:update"]));
      await call(client, "unsubscribe:job", { job_id: jobId });
      client.notes.length = 0;
      await subscribe();
      await until(() => expect(namesOf(client)).toEqual(["subscribed", "job:update"]));
      // Unsubscribe before the first state, and subscribe again.
      await call(client, "unsubscribe:job", { job_id: jobId });
      await subscribe();
      await until(() => expect(client.named("job:update")).toHaveLength(2));
      expect(ends()).toEqual([]);
      // Another session has not received the end.
      const other = server.connect();
      await call(other, "subscribe:job", { job_id: jobId });
      await until(() => expect(other.named("job:update")).toHaveLength(1));
      expect(namesOf(other)).toContain(how === "deliver" ? "job:completed" : "job:error");
    },
  );

  test("[L2] sends a job's new end even after an earlier one", async () => {
    server = await openTestServer();
    const jobId = await createJob(server.engine);
    const client = server.connect();
    await call(client, "subscribe:job", { job_id: jobId });
    await (await startJob(server.engine, jobId)).fail("once");
    await until(() => expect(client.named("job:error")).toHaveLength(1));
    await call(client, "unsubscribe:job", { job_id: jobId });
    await server.engine.change(jobId, { action: "retry" }, new Date());
    await (await startJob(server.engine, jobId)).fail("twice");
    await call(client, "subscribe:job", { job_id: jobId });
    await until(() =>
      expect(client.named("job:error")).toMatchObject([
        { message: "Error: once" },
        { message: "Error: twice" },
      ]),
    );
  });

  test("that is cancelled during its lookup never begins, whatever the lookup finds", async () => {
    const gate = Promise.withResolvers<void>();
    const waiting: string[] = [];
    server = await openTestServer({
      wrap: (engine) => ({
        ...engine,
        async getSummary(jobId) {
          waiting.push(jobId);
          await gate.promise;
          return engine.getSummary(jobId);
        },
      }),
    });
    const jobId = await createJob(server.engine);
    const client = server.connect({ transports: ["websocket"] });
    const leaver = server.connect({ transports: ["websocket"] });
    const answers = [
      call(client, "subscribe:job", { job_id: jobId }),
      call(client, "subscribe:job", { job_id: jobId }),
      call(client, "subscribe:job", { job_id: UNKNOWN }),
    ];
    leaver.socket.emit("subscribe:job", { job_id: jobId });
    leaver.socket.emit("subscribe:job", { job_id: UNKNOWN });
    await call(leaver, "unsubscribe:job", { job_id: "another" });
    // Identical lookups at the same time share one read.
    await until(() => expect(new Set(waiting)).toEqual(new Set([jobId, UNKNOWN])));
    expect(await call(client, "unsubscribe:job", { job_id: jobId })).toEqual({ ok: true });
    await call(client, "unsubscribe:job", { job_id: UNKNOWN });
    leaver.socket.disconnect();
    await until(async () => expect(await server.connections()).toBe(1));
    gate.resolve();
    expect(await Promise.all(answers)).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
    await settled(client);
    expect(namesOf(client)).toEqual(["connection"]);
    expect(server.watches()).toBe(0);
  });
});

describe("a subscription that cannot be served", () => {
  test("to an unknown id, or to a job of another owner, is an error that names it", async () => {
    server = await openTestServer();
    const foreign = await createJob(server.engine, {
      owner: { userId: "anna", tenantId: "t", scopes: [...PERSON_SCOPES] },
    });
    const client = server.connect();
    for (const job_id of [UNKNOWN, foreign, "no uuid", "__proto__", "\u0000"]) {
      const error = { code: "NOT_FOUND", message: `Job ${job_id} does not exist.` };
      expect(await call(client, "subscribe:job", { job_id })).toMatchObject({ ok: false });
      expect(client.notes.at(-1)).toEqual(["subscription:error", { ...error, job_id }]);
    }
    expect(await call(client, "subscribe:batch", { batch_id: UNKNOWN })).toEqual({
      ok: false,
      error: { code: "NOT_FOUND", message: `Batch ${UNKNOWN} does not exist.` },
    });
    expect(client.notes.at(-1)).toMatchObject(["subscription:error", { batch_id: UNKNOWN }]);
    expect(client.named("subscribed")).toEqual([]);
  });

  test("[J14] to an id with a lone surrogate is an error that does not repeat it", async () => {
    server = await openTestServer();
    const client = server.connect();
    for (const id of ["\ud83d", "a\ude00"]) {
      for (const request of [{ job_id: id }, { batch_id: id }]) {
        const name = "job_id" in request ? "subscribe:job" : "subscribe:batch";
        expect(await call(client, name, request)).toMatchObject({
          ok: false,
          error: { code: "BAD_REQUEST" },
        });
        const [, payload] = client.notes.at(-1) ?? [];
        expect(JSON.stringify(payload)).not.toContain("\\ud");
      }
    }
  });

  test("because of a server fault reveals no details, and the fault is logged", async () => {
    server = await openTestServer({
      wrap: (engine: Engine) => ({
        ...engine,
        getBatch: () => Promise.reject(new TypeError("secret")),
      }),
    });
    const client = server.connect();
    const message = "Something went wrong in the server. It was logged; try again.";
    expect(await call(client, "subscribe:batch", { batch_id: UNKNOWN })).toEqual({
      ok: false,
      error: { code: "INTERNAL", message },
    });
    expect(client.named("subscription:error")).toEqual([
      { code: "INTERNAL", message, batch_id: UNKNOWN },
    ]);
    expect(server.faults.join("")).toContain("secret");
  });
});

describe("while the data cannot be read", () => {
  test("a subscription is accepted, and begins once the data can be read", async () => {
    const { tries, back } = await openServerWithout(["getSummary", "getBatch"]);
    const { batchId, jobIds } = await createBatch(server.engine, 2);
    const client = server.connect();
    client.socket.emit("subscribe:job", { job_id: jobIds[0] });
    client.socket.emit("subscribe:batch", { batch_id: batchId });
    client.socket.emit("subscribe:job", { job_id: UNKNOWN });
    await until(() => {
      expect(tries()).toBeGreaterThan(4);
      expect(client.named("subscribed")).toHaveLength(3);
    });
    expect(new Set(namesOf(client))).toEqual(new Set(["connection", "subscribed"]));
    back();
    await until(() => {
      expect(client.named("job:update")).toMatchObject([{ job_id: jobIds[0], status: "PENDING" }]);
      expect(client.named("batch:update")).toMatchObject([{ batch_id: batchId, total: 2 }]);
      // NOT_FOUND arrives as soon as the server can read the data.
      expect(client.named("subscription:error")).toMatchObject([{ job_id: UNKNOWN }]);
    });
    expect(client.named("subscribed")).toHaveLength(3);
    expect(server.watches()).toBe(2);
  });

  test("a subscription that began without a state continues, and is confirmed once", async () => {
    const { tries, back } = await openServerWithout(["readEvents"]);
    const job_id = await createJob(server.engine);
    const client = server.connect();
    expect(await call(client, "subscribe:job", { job_id })).toEqual({ ok: true });
    await until(() => expect(tries()).toBeGreaterThan(2));
    back();
    await until(() => expect(client.named("job:update")).toMatchObject([{ job_id }]));
    const job = await startJob(server.engine, job_id);
    await job.fail("API key invalid");
    await until(() => expect(client.named("job:update")).toHaveLength(3));
    expect(client.named("subscribed")).toHaveLength(1);
    expect(client.named("subscription:error")).toEqual([]);
    expect(server.watches()).toBe(1);
  });

  test("a subscription does not begin after its client unsubscribed or left", async () => {
    const { tries, back } = await openServerWithout(["getSummary"]);
    const job_id = await createJob(server.engine);
    const [client, gone] = [server.connect(), server.connect()];
    client.socket.emit("subscribe:job", { job_id });
    gone.socket.emit("subscribe:job", { job_id });
    await until(() => expect(tries()).toBeGreaterThan(1));
    await settled(client);
    expect(await call(client, "unsubscribe:job", { job_id })).toEqual({ ok: true });
    gone.socket.disconnect();
    back();
    const other = await createJob(server.engine);
    expect(await call(client, "subscribe:job", { job_id: other })).toEqual({ ok: true });
    await until(() => expect(client.named("job:update")).toMatchObject([{ job_id: other }]));
    expect(server.watches()).toBe(1);
  });
});

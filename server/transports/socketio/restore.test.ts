import type { Socket as ServerSocket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Engine, SessionChange } from "#server/engine/contract.ts";
import { openEngine } from "#server/engine/index.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { MAX_SUBSCRIPTIONS } from "#server/transports/limits/subscription-limit.ts";
import { AppError } from "#shared/errors.ts";
import { joinRaw, openPolling } from "#test/transports/socketio-raw-client.ts";
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

let data: TestData;
let server: TestServer;
/** All stored changes of sessions, in order. */
let saved: SessionChange[];

beforeEach(async () => {
  data = await newTestData();
  saved = [];
});
afterEach(async () => {
  await server.close();
  await data.remove();
});

function noting(engine: Engine): Engine {
  return {
    ...engine,
    async saveSession(session, holder, change) {
      const outcome = await engine.saveSession(session, holder, change);
      saved.push(change);
      return outcome;
    },
  };
}

type Options = Parameters<typeof openTestServer>[0];

async function open(options: Options = {}): Promise<void> {
  server = await openTestServer({ data, wrap: noting, ...options });
}

/** Stops the server and starts another one on the same port and data. */
async function restart(options: Options = {}): Promise<void> {
  const { port } = new URL(server.url);
  await server.close();
  await open({ port: Number(port), ...options });
}

/** Restarts the server, and changes the data in between. */
async function restartAfter(what: (engine: Engine) => Promise<unknown>): Promise<void> {
  const { port } = new URL(server.url);
  await server.close();
  const engine = await openEngine(data.config);
  await what(engine);
  await engine.close();
  await open({ port: Number(port) });
}

const cancel = (engine: Engine, jobId: string) =>
  engine.change(jobId, { action: "cancel" }, new Date());

/** Breaks every open connection. */
function breakAll(): void {
  for (const socket of server.sockets as ServerSocket[]) socket.destroy();
}

/**
 * A client between two polls does not notice a break. Nor does one in the middle of an upgrade: its polling is paused then,
 * and stays so until its ping is late.
 */
async function breakUntilGone({ socket }: Client): Promise<void> {
  const upgraded = socket.io.opts.transports?.at(-1) ?? "websocket";
  await until(() => expect(socket.io.engine.transport.name).toBe(upgraded));
  let isGone = false;
  socket.once("disconnect", () => (isGone = true));
  await until(() => {
    if (!isGone) breakAll();
    expect(isGone).toBe(true);
  });
}

/** The older system's browser client: it reconnects by itself, and does not subscribe again. */
function connect(given: Parameters<TestServer["connect"]>[0] = {}): Client {
  return server.connect({
    reconnection: true,
    reconnectionDelay: 10,
    reconnectionDelayMax: 50,
    ...given,
  });
}

/** Resolves when the first state has arrived, which the server reads only after the acknowledgement. */
async function subscribe(client: Client, name: "job" | "batch", id: string): Promise<void> {
  await ask(client, name, id);
  const request = { [`${name}_id`]: id };
  await until(() =>
    expect(client.named(`${name}:update`)).toContainEqual(expect.objectContaining(request)),
  );
}

async function ask({ socket }: Client, name: "job" | "batch", id: string): Promise<void> {
  const request = { [`${name}_id`]: id };
  const answer: unknown = await socket.timeout(120_000).emitWithAck(`subscribe:${name}`, request);
  expect(answer).toEqual({ ok: true });
}

const namesOf = (client: Client) => client.notes.map(([name]) => name);
const statusesOf = (client: Client) =>
  client.named("job:update").map((payload) => (payload as { status: string }).status);
/** Resolves when the client has reconnected. Clears its earlier messages. */
async function away(client: Client, how: () => unknown): Promise<void> {
  const left = new Promise((resolve) => client.socket.once("disconnect", resolve));
  client.notes.length = 0;
  await how();
  await left;
  await until(() => expect(client.named("connection")).toHaveLength(1));
}
/** Resolves when the stored session has the end that its client received. */
const untilKnown = () =>
  until(() => expect(saved.flatMap(({ entries }) => [...entries.values()])).toContain(3));

describe.each([["websocket"], ["polling"]])(
  "[L5] a client that reconnects over %s",
  (transport) => {
    const by = { transports: [transport] };

    test("receives the current states of its subscriptions without subscribing", async () => {
      await open();
      const jobId = await createJob(server.engine);
      const { batchId } = await createBatch(server.engine, 2);
      const client = connect(by);
      await subscribe(client, "job", jobId);
      await subscribe(client, "batch", batchId);
      const job = await startJob(server.engine, jobId);
      await until(() => expect(statusesOf(client)).toEqual(["PENDING", "PROCESSING"]));

      await away(client, () => breakUntilGone(client));
      expect(client.socket.recovered).toBe(true);
      await until(() => expect(client.notes).toHaveLength(3));
      expect(namesOf(client).toSorted()).toEqual(["batch:update", "connection", "job:update"]);
      await job.progress(50);
      await job.deliver();
      await until(() =>
        expect(statusesOf(client)).toEqual(["PROCESSING", "PROCESSING", "DELIVERED"]),
      );
      expect(client.named("job:completed")).toHaveLength(1);
    });

    test("receives the end of a job that ended while the server was down", async () => {
      await open();
      const jobId = await createJob(server.engine);
      const client = connect(by);
      await subscribe(client, "job", jobId);
      await startJob(server.engine, jobId);
      await until(() => expect(statusesOf(client)).toContain("PROCESSING"));
      await away(client, () => restartAfter((engine) => cancel(engine, jobId)));
      await until(() => expect(statusesOf(client)).toEqual(["ABORTED"]));
      expect(client.named("job:error")).toHaveLength(1);
      expect(client.socket.recovered).toBe(true);
    });

    test("does not receive an end again that it has received", async () => {
      await open();
      const jobId = await createJob(server.engine);
      const client = connect(by);
      await subscribe(client, "job", jobId);
      await (await startJob(server.engine, jobId)).deliver();
      await until(() => expect(client.named("job:completed")).toHaveLength(1));
      await untilKnown();
      for (const how of [() => breakUntilGone(client), restart]) {
        await away(client, how);
        await until(() => expect(statusesOf(client)).toEqual(["DELIVERED"]));
        expect(client.named("job:completed")).toEqual([]);
      }
    });

    test("receives nothing twice if it subscribes again anyway", async () => {
      await open();
      const jobId = await createJob(server.engine);
      const client = connect(by);
      client.socket.on("connect", () => client.socket.emit("subscribe:job", { job_id: jobId }));
      await until(() => expect(client.named("job:update")).toHaveLength(1));
      await away(client, () => breakUntilGone(client));
      await until(() => expect(client.named("subscribed")).toEqual([{ job_id: jobId }]));
      await until(() => expect(statusesOf(client)).toEqual(["PENDING"]));
      await startJob(server.engine, jobId);
      await until(() => expect(statusesOf(client)).toEqual(["PENDING", "PROCESSING"]));
      // After the restore, another request is answered as usual.
      await subscribe(client, "job", jobId);
      expect(statusesOf(client)).toEqual(["PENDING", "PROCESSING", "PROCESSING"]);
    });
  },
);

describe("[L5] the restored subscriptions of a client", () => {
  test("exclude those that it left before", async () => {
    await open();
    const [kept, left] = [await createJob(server.engine), await createJob(server.engine)];
    const client = connect();
    await subscribe(client, "job", left);
    await subscribe(client, "job", kept);
    await client.socket.timeout(120_000).emitWithAck("unsubscribe:job", { job_id: left });
    await away(client, () => breakUntilGone(client));
    await until(() => expect(client.named("job:update")).toHaveLength(1));
    await startJob(server.engine, left);
    await startJob(server.engine, kept);
    await until(() => expect(statusesOf(client)).toContain("PROCESSING"));
    const told = client
      .named("job:update")
      .map((payload) => (payload as { job_id: string }).job_id);
    expect(new Set(told)).toEqual(new Set([kept]));
  });

  test("are all of them, up to the limit of a connection", async () => {
    await open();
    const { jobIds } = await createBatch(server.engine, MAX_SUBSCRIPTIONS);
    const client = connect({ transports: ["websocket"] });
    await Promise.all(jobIds.map((id) => ask(client, "job", id)));
    await until(() => expect(client.named("job:update")).toHaveLength(MAX_SUBSCRIPTIONS));
    await away(client, restart);
    await until(() => expect(client.named("job:update")).toHaveLength(MAX_SUBSCRIPTIONS));
    const told = client
      .named("job:update")
      .map((payload) => (payload as { job_id: string }).job_id);
    expect(new Set(told)).toEqual(new Set(jobIds));
    expect(client.socket.recovered).toBe(true);
  });

  test("exclude a deleted job: the client gets an error, and the others continue", async () => {
    await open();
    const [gone, kept] = [await createJob(server.engine), await createJob(server.engine)];
    const client = connect();
    await subscribe(client, "job", gone);
    await subscribe(client, "job", kept);
    await away(client, () =>
      restartAfter(async (engine) => {
        await cancel(engine, gone);
        expect(await engine.prune(new Date(Date.now() + 1000), 10)).toBe(1);
      }),
    );
    await until(() => expect(client.named("job:update")).toHaveLength(1));
    expect(client.named("subscription:error")).toEqual([
      { code: "NOT_FOUND", message: `Job ${gone} does not exist.`, job_id: gone },
    ]);
    // The client gets a new session, so that an application that does not subscribe in a recovered one does so.
    expect(client.socket.recovered).toBe(false);
    await away(client, () => breakUntilGone(client));
    await until(() => expect(client.named("job:update")).toHaveLength(1));
    expect(client.socket.recovered).toBe(true);
    expect(client.named("subscription:error")).toEqual([]);
  });

  test("are none after an explicit disconnect", async () => {
    await open();
    const client = connect();
    await subscribe(client, "job", await createJob(server.engine));
    client.socket.disconnect();
    await until(() => expect(server.watches()).toBe(0));
    client.notes.length = 0;
    client.socket.connect();
    await until(() => expect(client.named("connection")).toHaveLength(1));
    expect(client.socket.recovered).toBe(false);
    await subscribe(client, "job", await createJob(server.engine));
  });

  test("are none for another user, and none for a guessed secret", async () => {
    await open({
      authenticate: async ({ token = "" }) => {
        const [tenantId = "", userId = ""] = token.split("/");
        return { tenantId, userId, scopes: [...PERSON_SCOPES] };
      },
    });
    const ann = { tenantId: "acme", userId: "ann", scopes: [...PERSON_SCOPES] };
    const jobId = await createJob(server.engine, { owner: ann });
    let token = "acme/ann";
    const client = connect({ auth: (give) => give({ token }) });
    await subscribe(client, "job", jobId);
    for (token of ["acme/bob", "other/ann"]) {
      await away(client, () => breakUntilGone(client));
      expect([client.socket.recovered, client.notes.length]).toEqual([false, 1]);
    }
    for (const pid of ["", "x", "x".repeat(22), "../../..", 7, null, ["x"], { $ne: "" }]) {
      const stranger = server.connect({ auth: { token: "acme/ann", pid, offset: "0" } });
      await until(() => expect(stranger.named("connection")).toHaveLength(1));
      await stranger.socket.timeout(120_000).emitWithAck("unsubscribe:job", { job_id: "none" });
      expect([stranger.socket.recovered, stranger.notes.length]).toEqual([false, 1]);
      stranger.socket.close();
    }
  });
});

describe("[L5] an end that was sent", () => {
  test("is sent again if nothing proves its receipt", async () => {
    await open();
    const jobId = await createJob(server.engine);
    const client = await joinRaw(server.url);
    client.send(`42["subscribe:job",{"job_id":"${jobId}"}]`);
    await until(() => expect(client.told()).toContain("job:update PENDING"));
    await (await startJob(server.engine, jobId)).deliver();
    await until(() => expect(client.told().at(-1)).toBe("job:update DELIVERED"));
    await until(() => expect(client.frames.at(-1)).toBe("2"));
    breakAll();
    await client.closed;
    const again = await joinRaw(server.url, client.pid);
    expect(again.pid).toBe(client.pid);
    await until(() =>
      expect(again.told()).toEqual(["job:completed DELIVERED", "job:update DELIVERED"]),
    );
    for (let n = 0; n < 3; n += 1) again.send("3");
    await untilKnown();
    breakAll();
    await again.closed;
    const once = await joinRaw(server.url, client.pid);
    await until(() => expect(once.told()).toEqual(["job:update DELIVERED"]));
    once.close();
  });

  test("does not count as received after answers to pings that were not sent", async () => {
    await open();
    const jobId = await createJob(server.engine);
    const client = await joinRaw(server.url);
    client.send(`42["subscribe:job",{"job_id":"${jobId}"}]`);
    await until(() => expect(client.told()).toContain("job:update PENDING"));
    for (let n = 0; n < 5; n += 1) client.send("3");
    client.send('421["unsubscribe:job",{"job_id":"none"}]');
    await until(() => expect(client.frames.at(-1)).toMatch(/^431/));
    await (await startJob(server.engine, jobId)).deliver();
    await until(() => expect(client.frames.at(-1)).toBe("2"));
    breakAll();
    const again = await joinRaw(server.url, client.pid);
    await until(() => expect(again.told()[0]).toBe("job:completed DELIVERED"));
    again.close();
  });

  test("shares one ping with other ends of the same moment", async () => {
    await open();
    const { jobIds } = await createBatch(server.engine, 50);
    const client = await joinRaw(server.url);
    for (const id of jobIds) client.send(`42["subscribe:job",{"job_id":"${id}"}]`);
    await until(() => expect(client.told()).toHaveLength(100));
    await Promise.all(jobIds.map((id) => cancel(server.engine, id)));
    await until(() => expect(client.told()).toHaveLength(200));
    await until(() => expect(client.frames).toContain("2"));
    const pings = client.frames.filter((frame) => frame === "2").length;
    expect(pings).toBe(1);
    client.close();
  });

  test("is confirmed for a polling client by its posts", async () => {
    await open();
    const jobId = await createJob(server.engine);
    const client = await openPolling(server.url);
    await client.post("40");
    await client.poll();
    await client.post(`42["subscribe:job",{"job_id":"${jobId}"}]`);
    await client.poll();
    await (await startJob(server.engine, jobId)).deliver();
    const packets: string[] = [];
    while (!packets.includes("2")) packets.push(...(await client.poll()).packets);
    expect(packets.at(-2)).toContain("DELIVERED");
    await client.post("3");
    await untilKnown();
  });
});

describe("[L5] a session has one connection", () => {
  test("the newest one; the one before is closed", async () => {
    await open();
    const jobId = await createJob(server.engine);
    const first = await joinRaw(server.url);
    first.send(`42["subscribe:job",{"job_id":"${jobId}"}]`);
    await until(() => expect(first.told()).toContain("job:update PENDING"));
    const second = await joinRaw(server.url, first.pid);
    await first.closed;
    await until(() => expect(second.told()).toEqual(["job:update PENDING"]));
    expect(server.watches()).toBe(1);
    second.close();
  });
});

describe("[L5] while sessions cannot be", () => {
  const unavailable = new AppError("UNAVAILABLE", "The data cannot be read.");

  test("read, the connection of a client with a session is closed below Socket.IO, and the client reconnects", async () => {
    let failures = 0;
    await open();
    const jobId = await createJob(server.engine);
    const client = connect();
    await subscribe(client, "job", jobId);
    await away(client, () =>
      restart({
        wrap: (engine) => ({
          ...noting(engine),
          async takeSession(...args) {
            failures += 1;
            if (failures < 3) throw unavailable;
            return engine.takeSession(...args);
          },
        }),
      }),
    );
    expect(failures).toBe(3);
    expect(client.socket.recovered).toBe(true);
    await until(() => expect(statusesOf(client)).toEqual(["PENDING"]));
    expect(server.faults).toEqual([]);
  });

  test("written, a client is served, and its subscriptions are stored later", async () => {
    let fails = true;
    await open({
      wrap: (engine) => ({
        ...noting(engine),
        async saveSession(...args) {
          if (fails) throw unavailable;
          return noting(engine).saveSession(...args);
        },
      }),
    });
    const [first, second] = [await createJob(server.engine), await createJob(server.engine)];
    const client = connect();
    await subscribe(client, "job", first);
    fails = false;
    await subscribe(client, "job", second);
    await away(client, () => breakUntilGone(client));
    await until(() => expect(client.named("job:update")).toHaveLength(2));
  });
});

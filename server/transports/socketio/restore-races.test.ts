/** Clients that reconnect at the worst moment. */
import type { Socket as ServerSocket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { AppError } from "#shared/errors.ts";
import { joinRaw, openPolling, openRaw } from "#test/transports/socketio-raw-client.ts";
import {
  createBatch,
  createJob,
  openTestServer,
  startJob,
  type TestServer,
  until,
} from "#test/transports/socketio.fixture.ts";

const unavailable = new AppError("UNAVAILABLE", "The data cannot be written.");

let data: TestData;
let server: TestServer;
/** Passes the calls that a gate of the test holds. */
let release: () => void;

beforeEach(async () => {
  release = () => {};
  data = await newTestData();
});
afterEach(async () => {
  // The server waits for them, also after a test that failed in the middle.
  release();
  await server.close();
  await data.remove();
});

async function open(options: Parameters<typeof openTestServer>[0] = {}): Promise<void> {
  server = await openTestServer({ data, ...options });
}

function breakAll(): void {
  for (const socket of server.sockets as ServerSocket[]) socket.destroy();
}

/** Lets a test hold the engine's session calls, and decide the result of each. */
function gate(name: "takeSession" | "saveSession") {
  const held: { pass(): void; fail(): void }[] = [];
  let isShut = false;
  async function pass(called: string): Promise<void> {
    if (!isShut || called !== name) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    held.push({ pass: resolve, fail: () => reject(unavailable) });
    await promise;
  }
  const wrap = (engine: Engine): Engine => ({
    ...engine,
    async takeSession(...args) {
      await pass("takeSession");
      return engine.takeSession(...args);
    },
    async saveSession(...args) {
      await pass("saveSession");
      return engine.saveSession(...args);
    },
  });
  const shut = (is: boolean) => void (isShut = is);
  release = () => {
    shut(false);
    for (const each of held) each.pass();
  };
  return { held, wrap, shut };
}

/** Records the jobs that were looked up. */
function notingReads(engine: Engine, read: Set<string>): Engine {
  return {
    ...engine,
    async getSummary(id) {
      const summary = await engine.getSummary(id);
      read.add(id);
      return summary;
    },
  };
}

const settled = () => new Promise(setImmediate);

describe("[L5] a requested subscription", () => {
  test("is stored even if its client left while the store was unavailable", async () => {
    const saves = gate("saveSession");
    const read = new Set<string>();
    await open({ wrap: (engine) => notingReads(saves.wrap(engine), read) });
    const [first, second, third] = [
      await createJob(server.engine),
      await createJob(server.engine),
      await createJob(server.engine),
    ];
    const client = await joinRaw(server.url);
    client.ask("subscribe:job", { job_id: first });
    await until(() => expect(client.told()).toHaveLength(2));
    saves.shut(true);
    client.ask("subscribe:job", { job_id: second });
    await until(() => expect(saves.held).toHaveLength(1));
    client.ask("subscribe:job", { job_id: third });
    await until(() => expect(read).toContain(third));
    await settled();
    breakAll();
    await until(() => expect(server.watches()).toBe(0));
    await until(async () => expect(await server.connections()).toBe(0));
    saves.shut(false);
    saves.held[0]?.fail();
    await until(async () => {
      const again = await joinRaw(server.url, client.pid);
      await until(() => expect(again.told().length).toBeGreaterThan(0));
      await settled();
      expect(again.told()).toHaveLength(3);
      again.close();
    });
  });

  test("that was refused is not stored", async () => {
    const stored: string[][] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    await open({
      wrap: (engine) => ({
        ...engine,
        async getSummary(id) {
          if (id.startsWith("none")) await promise;
          return engine.getSummary(id);
        },
        saveSession(session, holder, change) {
          stored.push([...change.entries.keys()]);
          return engine.saveSession(session, holder, change);
        },
      }),
    });
    const jobId = await createJob(server.engine);
    const client = await joinRaw(server.url);
    client.ask("subscribe:job", { job_id: "none" });
    client.ask("subscribe:job", { job_id: jobId });
    await until(() => expect(client.told()).toContain("subscribed"));
    resolve();
    expect(stored).toEqual([[`job:${jobId}`]]);
    client.close();
  });

  test("is stored if the server stops at that moment", async () => {
    const saves = gate("saveSession");
    await open({ wrap: saves.wrap });
    const jobId = await createJob(server.engine);
    const client = await joinRaw(server.url);
    saves.shut(true);
    client.ask("subscribe:job", { job_id: jobId });
    await until(() => expect(saves.held).toHaveLength(1));
    let isClosed = false;
    const closed = server.close().then(() => (isClosed = true));
    await client.closed;
    await settled();
    expect(isClosed).toBe(false);
    saves.held[0]?.pass();
    await closed;
    await open();
    const again = await joinRaw(server.url, client.pid);
    await until(() => expect(again.told()).toEqual(["job:update PENDING"]));
    again.close();
  });
});

test("[L5] a client that disconnected explicitly has no session, even if a save was under way", async () => {
  const saves = gate("saveSession");
  await open({ wrap: saves.wrap });
  const client = await joinRaw(server.url);
  client.ask("subscribe:job", { job_id: await createJob(server.engine) });
  await until(() => expect(client.told()).toHaveLength(2));
  saves.shut(true);
  client.ask("subscribe:job", { job_id: await createJob(server.engine) });
  await until(() => expect(saves.held).toHaveLength(1));
  client.send("41");
  await until(() => expect(server.watches()).toBe(0));
  const again = await joinRaw(server.url, client.pid);
  expect(again.pid).not.toBe(client.pid);
  saves.held[0]?.pass();
  again.close();
  client.close();
});

/** A client that was subscribed to two jobs. Its connection broke, and one of the jobs is gone. */
async function loseOneOfTwo() {
  const [gone, kept] = [await createJob(server.engine), await createJob(server.engine)];
  const client = await joinRaw(server.url);
  for (const id of [gone, kept]) client.ask("subscribe:job", { job_id: id });
  await until(() => expect(client.told()).toHaveLength(4));
  breakAll();
  await until(() => expect(server.watches()).toBe(0));
  await server.engine.change(gone, { action: "cancel" }, new Date());
  await server.engine.prune(new Date(Date.now() + 1000), 10);
  await until(async () => expect(await server.serves(gone)).toBe(false));
  return client;
}

describe("[L5] a session continues", () => {
  test("if its connection breaks before the client receives a new `pid`", async () => {
    const reads = gate("takeSession");
    await open({ wrap: reads.wrap });
    const client = await loseOneOfTwo();
    // Several connections in turn do not receive their new `pid`.
    for (const _ of [1, 2]) {
      const deaf = await joinRaw(server.url, client.pid);
      expect(deaf.pid).not.toBe(client.pid);
      breakAll();
    }
    const again = await joinRaw(server.url, client.pid);
    await until(() =>
      expect(again.told().toSorted()).toEqual(["job:update PENDING", "subscription:error"]),
    );
    again.close();
  });

  test("if the server dies right after it sent a new `pid`", async () => {
    const saves = gate("saveSession");
    await open({ wrap: saves.wrap });
    const client = await loseOneOfTwo();
    saves.shut(true);
    const joining = joinRaw(server.url, client.pid);
    await until(() => expect(saves.held).toHaveLength(1));
    const isJoined = await Promise.race([joining.then(() => true), settled().then(() => false)]);
    expect(isJoined).toBe(false);
    saves.shut(false);
    saves.held[0]?.pass();
    const fresh = await joining;
    breakAll();
    const again = await joinRaw(server.url, fresh.pid);
    expect(again.pid).toBe(fresh.pid);
    await until(() => expect(again.told()).toEqual(["job:update PENDING"]));
    again.close();
  });

  test("if an older connection takes it late: the connected client reconnects", async () => {
    const takes = gate("takeSession");
    await open({ wrap: takes.wrap });
    const jobId = await createJob(server.engine);
    const client = server.connect({
      reconnection: true,
      reconnectionDelay: 10,
      reconnectionDelayMax: 50,
      transports: ["websocket"],
    });
    client.socket.emit("subscribe:job", { job_id: jobId });
    await until(() => expect(client.named("job:update")).toHaveLength(1));
    takes.shut(true);
    breakAll();
    await until(() => expect(takes.held).toHaveLength(1));
    takes.shut(false);
    client.notes.length = 0;
    breakAll();
    await until(() => expect(client.named("job:update")).toHaveLength(1));
    takes.held[0]?.pass();
    await until(async () => expect(await server.connections()).toBeGreaterThan(0));
    client.socket.emit("subscribe:job", { job_id: await createJob(server.engine) });
    await startJob(server.engine, jobId);
    await until(() =>
      expect(client.named("job:update")).toContainEqual(
        expect.objectContaining({ job_id: jobId, status: "PROCESSING" }),
      ),
    );
    expect(client.socket.connected).toBe(true);
  });
});

describe("[L5] a client that reconnects", () => {
  test("many times at once keeps one connection, even while its subscriptions are read", async () => {
    let reading: Promise<void> | undefined;
    await open({
      wrap: (engine) => ({
        ...engine,
        async getBatch(id) {
          await reading;
          return engine.getBatch(id);
        },
      }),
    });
    const client = await joinRaw(server.url);
    const { batchId } = await createBatch(server.engine, 1);
    client.ask("subscribe:batch", { batch_id: batchId });
    await until(() => expect(client.told()).toHaveLength(2));
    const { promise, resolve } = Promise.withResolvers<void>();
    reading = promise;
    let closed = 0;
    const url = `${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`;
    const others = Array.from({ length: 10 }, () => openRaw(url));
    for (const each of [client, ...others]) void each.closed.then(() => (closed += 1));
    await until(() => expect(others.flatMap(({ frames }) => frames)).toHaveLength(10));
    for (const each of others) each.send(`40{"pid":"${client.pid}"}`);
    await until(() => expect(closed).toBe(10));
    resolve();
    // A connection may be greeted before the next one replaces it. Only the one that stays is told of the batch.
    const told = () => others.map(({ frames }) => frames.join("\n"));
    const served = () => told().filter((frames) => frames.includes("batch:update"));
    await until(() => expect(served()).not.toHaveLength(0));
    expect(served()).toHaveLength(1);
    expect(served()[0]?.split('"session_id"')).toHaveLength(2);
    expect(await server.connections()).toBe(1);
    for (const each of others) each.close();
  });

  test("in protocol 3 has no session, and takes over none", async () => {
    await open({ allowEio3: true });
    const jobId = await createJob(server.engine);
    const client = await joinRaw(server.url);
    client.ask("subscribe:job", { job_id: jobId });
    await until(() => expect(client.told()).toHaveLength(2));
    const old = openRaw(`${server.url.replace("http", "ws")}/socket.io/?EIO=3&transport=websocket`);
    const joins = () => old.frames.filter((frame) => frame.includes("session_id"));
    await until(() => expect(joins()).toHaveLength(1));
    old.send("41");
    old.send(`40/?pid=${client.pid},`);
    await until(() => expect(joins()).toHaveLength(2));
    old.send(`421["subscribe:job",{"job_id":"none"}]`);
    await until(() => expect(old.frames.at(-1)).toMatch(/^431/));
    expect(old.frames.filter((frame) => frame.includes("job:update"))).toEqual([]);
    await startJob(server.engine, jobId);
    await until(() => expect(client.told()).toContain("job:update PROCESSING"));
    old.close();
    client.close();
  });

  test("receives nothing twice if its request is in one body with the answer to a ping", async () => {
    await open();
    const jobId = await createJob(server.engine);
    const client = await joinRaw(server.url);
    client.ask("subscribe:job", { job_id: jobId });
    await until(() => expect(client.told()).toHaveLength(2));

    const again = await openPolling(server.url);
    await again.post(`40{"pid":"${client.pid}"}`);
    const packets: string[] = [];
    /** Polls until it has received this many of these events. */
    async function pollFor(what: string, times: number): Promise<void> {
      const told = () => packets.filter((packet) => packet.includes(what)).length;
      while (told() < times) packets.push(...(await again.poll()).packets);
      expect(told()).toBe(times);
    }
    const pings = () => packets.filter((packet) => packet === "2").length;
    while (pings() < 1) packets.push(...(await again.poll()).packets);
    await again.post("3");
    while (pings() < 2) packets.push(...(await again.poll()).packets);
    await again.post(`420["subscribe:job",{"job_id":"${jobId}"}]`, "3");
    await pollFor('430[{"ok":true}]', 1);
    await pollFor('"subscribed"', 1);
    await pollFor('"job:update"', 1);
  });

  test("receives the state of later requests as usual", async () => {
    await open();
    const jobId = await createJob(server.engine);
    const client = server.connect({ reconnection: true, reconnectionDelay: 10 });
    client.socket.emit("subscribe:job", { job_id: jobId });
    await until(() => expect(client.named("job:update")).toHaveLength(1));
    client.notes.length = 0;
    breakAll();
    await until(() => expect(client.named("job:update")).toHaveLength(1));
    // A page shows the job again, without its earlier state.
    await until(async () => {
      client.notes.length = 0;
      await client.socket.timeout(120_000).emitWithAck("subscribe:job", { job_id: jobId });
      expect(client.named("subscribed")).toHaveLength(1);
      // The first request still counts as part of the reconnect.
      expect(client.named("job:update")).toHaveLength(1);
    });
  });

  test("does not save stored entries again", async () => {
    const sizes: number[] = [];
    await open({
      wrap: (engine) => ({
        ...engine,
        saveSession(session, holder, change) {
          sizes.push(change.entries.size);
          return engine.saveSession(session, holder, change);
        },
      }),
    });
    const client = await joinRaw(server.url);
    for (let n = 0; n < 5; n += 1) {
      client.ask("subscribe:job", { job_id: await createJob(server.engine) });
    }
    await until(() => expect(client.told()).toHaveLength(10));
    breakAll();
    sizes.length = 0;
    const again = await joinRaw(server.url, client.pid);
    await until(() => expect(again.told()).toHaveLength(5));
    await until(() => expect(sizes).toEqual([0]));
    again.close();
  });
});

describe("[L5] an end does not count as received", () => {
  test("after the answer to a ping from before the client rejoined", async () => {
    const stored: number[] = [];
    await open({
      wrap: (engine) => ({
        ...engine,
        saveSession(session, holder, change) {
          stored.push(...[...change.entries.values()].filter((value) => value !== null));
          return engine.saveSession(session, holder, change);
        },
      }),
    });
    const [first, second] = [await createJob(server.engine), await createJob(server.engine)];
    const client = await joinRaw(server.url);
    client.ask("subscribe:job", { job_id: first });
    await until(() => expect(client.told()).toContain("job:update PENDING"));
    await (await startJob(server.engine, first)).deliver();
    await until(() => expect(client.pings()).toBe(1));
    client.send("41");
    client.send("40");
    client.ask("subscribe:job", { job_id: second });
    await until(() => expect(client.told().at(-1)).toBe("job:update PENDING"));
    await (await startJob(server.engine, second)).deliver();
    await until(() => expect(client.pings()).toBe(2));
    stored.length = 0;
    client.send("3");
    // Its acknowledgement proves that everything before it is stored.
    client.ask("subscribe:job", { job_id: await createJob(server.engine) });
    await until(() => expect(client.told().at(-1)).toBe("job:update PENDING"));
    expect(stored).toEqual([0]);
    client.send("3");
    await until(() => expect(stored).toEqual([0, 3]));
    client.close();
  });
});

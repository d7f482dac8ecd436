import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import {
  createBatch,
  createJob,
  openTestServer,
  startJob,
  type TestServer,
  until,
} from "#test/transports/socketio.fixture.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";
import type { LegacyBatchPayload, LegacyJobPayload } from "#shared/legacy.ts";
import { LegacyClient, type ServerToClientEvents, wsClient } from "./legacy-client.ts";

let data: TestData;
let server: TestServer;
let client: LegacyClient;

beforeEach(async () => {
  data = await newTestData();
  server = await openTestServer({ data });
  client = new LegacyClient(server.url.replace("http", "ws"), { reconnectionDelay: 20 });
});
afterEach(async () => {
  client.disconnect();
  await server.close();
  await data.remove();
});

/** Records the payloads of an event from now on. */
function listen<N extends keyof ServerToClientEvents>(
  name: N,
): Parameters<ServerToClientEvents[N]>[0][] {
  const told: Parameters<ServerToClientEvents[N]>[0][] = [];
  client.on(name, (data: Parameters<ServerToClientEvents[N]>[0]) => told.push(data));
  return told;
}

test("[L1] subscriptions made before the connection are sent once it is open", async () => {
  const jobId = await createJob(server.engine);
  const { batchId } = await createBatch(server.engine, 2);
  const greetings = listen("connection");
  const subscribed = listen("subscribed");
  const updates: LegacyJobPayload[] = listen("job:update");
  const batches: LegacyBatchPayload[] = listen("batch:update");
  client.subscribeToJob(jobId);
  client.subscribeToJob("gone");
  client.subscribeToBatch(batchId);
  client.unsubscribeFromJob("gone");
  expect(client.connected).toBe(false);
  client.connect();
  await until(() => expect([...updates, ...batches]).toHaveLength(2));
  expect(client.connected).toBe(true);
  expect(greetings).toMatchObject([{ connected: true }]);
  expect(subscribed).toHaveLength(2);
  expect(subscribed).toEqual(
    expect.arrayContaining([{ job_id: jobId }, { batch_id: batchId }]) as unknown,
  );
});

test("[L1] [L2] subscriptions can be added and removed while it is connected", async () => {
  client.connect();
  await until(() => expect(client.connected).toBe(true));
  const jobId = await createJob(server.engine);
  const { batchId } = await createBatch(server.engine, 1);
  const updates = listen("job:update");
  const completed = listen("job:completed");
  const errors = listen("subscription:error");
  client.subscribeToJob(jobId);
  client.subscribeToBatch(batchId);
  client.subscribeToBatch("nothing");
  await until(() => expect(server.watches()).toBe(2));
  await until(() => expect(errors).toMatchObject([{ code: "NOT_FOUND", batch_id: "nothing" }]));
  await (await startJob(server.engine, jobId)).deliver();
  await until(() => expect(updates.at(-1)?.status).toBe("DELIVERED"));
  expect(completed).toHaveLength(1);
  client.unsubscribeFromJob(jobId);
  client.unsubscribeFromBatch(batchId);
  await until(() => expect(server.watches()).toBe(0));
});

test("[L6] the feed brings every job of the user, also after a reconnect, until it is left", async () => {
  const jobId = await createJob(server.engine);
  const updates = listen("job:update");
  client.subscribeToFeed();
  client.connect();
  await until(() => expect(updates.map(({ job_id }) => job_id)).toEqual([jobId]));
  for (const socket of server.sockets) socket.destroy();
  const next = await createJob(server.engine);
  await until(() => expect(updates.map(({ job_id }) => job_id)).toContain(next));
  await until(() => expect(client.connected).toBe(true));
  client.unsubscribeFromFeed();
  await until(() => expect(server.watches()).toBe(0));
  client.subscribeToFeed();
  await until(() => expect(server.watches()).toBe(1));
});

test("a listener of `once` is called once, and `off` without a listener removes the app's own and no more", async () => {
  const jobId = await createJob(server.engine);
  const updates = listen("job:update");
  const once = vi.fn<ServerToClientEvents["job:update"]>();
  const connected = vi.fn<() => void>();
  client.once("job:update", once);
  client.on("connect", connected);
  client.off("connect");
  client.subscribeToJob(jobId);
  client.connect();
  await until(() => expect(updates).toHaveLength(1));
  await startJob(server.engine, jobId);
  await until(() => expect(updates).toHaveLength(2));
  expect(once).toHaveBeenCalledTimes(1);
  expect(connected).not.toHaveBeenCalled();
});

test("the app's own `wsClient` connects to the address of NEXT_PUBLIC_WS_URL when it is told to", async () => {
  const jobId = await createJob(server.engine);
  // Importing it has connected to nothing; the address is read now.
  vi.stubEnv("NEXT_PUBLIC_WS_URL", server.url.replace("http", "ws"));
  onTestFinished(() => {
    wsClient.disconnect();
    vi.unstubAllEnvs();
  });
  expect(wsClient.connected).toBe(false);
  wsClient.disconnect();
  const updates: string[] = [];
  wsClient.on("job:update", ({ job_id }) => updates.push(job_id));
  wsClient.subscribeToJob(jobId);
  expect(server.sockets).toHaveLength(0);
  wsClient.connect();
  await until(() => expect(updates).toEqual([jobId]));
});

test("a removed listener is not called any more", async () => {
  const jobId = await createJob(server.engine);
  const kept = listen("job:update");
  const dropped = vi.fn<ServerToClientEvents["job:update"]>();
  client.on("job:update", dropped);
  client.subscribeToJob(jobId);
  client.connect();
  await until(() => expect(dropped).toHaveBeenCalledTimes(1));
  client.off("job:update", dropped);
  await startJob(server.engine, jobId);
  await until(() => expect(kept).toHaveLength(2));
  expect(dropped).toHaveBeenCalledTimes(1);
});

test("[S4] after an outage the client subscribes again, except to jobs that it unsubscribed from meanwhile", async () => {
  const [kept, left] = [await createJob(server.engine), await createJob(server.engine)];
  const subscribed = listen("subscribed");
  client.subscribeToJob(kept);
  client.subscribeToJob(left);
  client.connect();
  await until(() => expect(subscribed).toHaveLength(2));
  const port = Number(new URL(server.url).port);
  await server.close();
  await until(() => expect(client.connected).toBe(false));
  client.unsubscribeFromJob(left);
  subscribed.length = 0;
  server = await openTestServer({ data, port });
  const updates = listen("job:update");
  await until(() => expect(updates).toMatchObject([{ job_id: kept }]));
  expect(subscribed).toEqual([{ job_id: kept }]);
});

test.each([
  ["an object", { token: "t" }],
  ["a function", (give: (auth: object) => void) => give({ token: "t" })],
])(
  "[L5] it resumes its session with its `pid`, and sends its own credentials as %s",
  async (_name, auth) => {
    await server.close();
    const tokens: unknown[] = [];
    const ends: unknown[] = [];
    server = await openTestServer({
      data,
      authenticate: async ({ token }) => {
        tokens.push(token);
        return LOCAL_PRINCIPAL;
      },
      wrap: (engine) => ({
        ...engine,
        async saveSession(session, holder, change) {
          const saved = await engine.saveSession(session, holder, change);
          ends.push(...change.entries.values());
          return saved;
        },
      }),
    });
    client = new LegacyClient(server.url, { reconnectionDelay: 20, auth });
    const jobId = await createJob(server.engine);
    const updates = listen("job:update");
    const completed = listen("job:completed");
    client.subscribeToJob(jobId);
    client.connect();
    await until(() => expect(updates).toHaveLength(1));
    await (await startJob(server.engine, jobId)).deliver();
    await until(() => expect(updates.at(-1)?.status).toBe("DELIVERED"));
    await until(() => expect(ends.at(-1)).toBeGreaterThan(0));
    updates.length = 0;
    for (const socket of server.sockets) socket.destroy();
    await until(() => expect(updates).toMatchObject([{ status: "DELIVERED" }]));
    expect(completed).toHaveLength(1);
    expect(new Set(tokens)).toEqual(new Set(["t"]));
  },
);

test("it falls back to polling where WebSockets are blocked", async () => {
  const jobId = await createJob(server.engine);
  const updates = listen("job:update");
  server.transport.upgrade = (_req, socket) => socket.destroy();
  client.subscribeToJob(jobId);
  client.connect();
  await until(() => expect(updates).toHaveLength(1));
});

import { afterEach, expect, test } from "vitest";
import { openPolling } from "#test/transports/socketio-raw-client.ts";
import {
  createBatch,
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

interface Update {
  job_id: string;
  progress: number;
  status: string;
}

const subscribe = (job_id: string) => `42["subscribe:job",${JSON.stringify({ job_id })}]`;

/** Returns the events in polled packets, without heartbeats and the like. */
function eventsIn(packets: string[]): [name: string, payload: Update][] {
  return packets
    .filter((packet) => packet.startsWith("42"))
    .map((packet) => JSON.parse(packet.slice(2)) as [string, Update]);
}

async function joined() {
  const client = await openPolling(server.url);
  await client.post("40");
  const { packets } = await client.poll();
  expect(packets[0]).toMatch(/^40/);
  return client;
}

test("[S2] [S3] [S7] a client that stops reading costs a bounded list, and receives the rest folded when it reads again", async () => {
  server = await openTestServer();
  const [stalledJob, otherJob] = [await createJob(server.engine), await createJob(server.engine)];
  const client = await joined();
  await client.post(subscribe(stalledJob), subscribe(otherJob));
  await until(() => expect(server.watches()).toBe(2));
  const reader = server.connect({ transports: ["websocket"] });
  reader.socket.emit("subscribe:job", { job_id: stalledJob });
  await until(() => expect(reader.named("job:update")).toHaveLength(1));

  // The client reads nothing during this.
  const steps = 1000;
  const job = await startJob(server.engine, stalledJob);
  for (let step = 1; step <= steps; step++) await job.progress(Math.floor(step / 11), `${step}`);
  await job.block("Blocked");
  await server.engine.change(stalledJob, { action: "approve" }, new Date());
  const other = await startJob(server.engine, otherJob);
  await other.deliver();
  await until(() => expect(reader.named("job:completed")).toHaveLength(1));
  // All of them, unless this process was too busy to read for a moment.
  expect(reader.named("job:update").length).toBeGreaterThan(steps / 2);

  const first = eventsIn((await client.poll()).packets);
  expect(first.length).toBeLessThanOrEqual(66);
  const rest: [string, Update][] = [];
  while (rest.filter(([name]) => name === "job:completed").length < 2) {
    rest.push(...eventsIn((await client.poll()).packets));
  }
  // Only progress events were skipped.
  expect(rest.length).toBeLessThan(20);
  const told = [...first, ...rest].filter(
    ([name, { job_id }]) => name === "job:update" && job_id === stalledJob,
  );
  expect(told.slice(-3).map(([, { status }]) => status)).toEqual([
    "PROCESSING",
    "BLOCKED",
    "DELIVERED",
  ]);
  const progress = told.map(([, payload]) => payload.progress);
  expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  expect(rest.filter(([, { job_id }]) => job_id === otherJob).map(([name]) => name)).toEqual(
    expect.arrayContaining(["job:completed", "job:update"]),
  );
});

test("[S1] answers and events keep their order, however they are sent", async () => {
  server = await openTestServer();
  const { jobIds } = await createBatch(server.engine, 60);
  const { socket, notes } = server.connect({ transports: ["websocket"] });
  for (const job_id of jobIds) {
    socket.emit("subscribe:job", { job_id });
    void server.engine.change(job_id, { action: "cancel", note: "early" }, new Date());
  }
  await until(() => {
    const ended = notes.filter(([name]) => name === "job:error");
    expect(new Set(ended.map(([, payload]) => (payload as Update).job_id)).size).toBe(60);
    expect(notes.at(-1)?.[0]).toBe("job:update");
  });
  for (const job_id of jobIds) {
    const names = notes
      .filter(([, payload]) => (payload as Update).job_id === job_id)
      .map(([name]) => name);
    expect([
      ["subscribed", "job:update", "job:error", "job:update"],
      ["subscribed", "job:error", "job:update"],
    ]).toContainEqual(names);
  }
});

test("[S7] each of many subscriptions gets its turn when a slow client reads", async () => {
  server = await openTestServer();
  const { jobIds } = await createBatch(server.engine, 200);
  const client = await joined();
  await client.post(...jobIds.map(subscribe));
  while (server.watches() < jobIds.length) await client.poll();
  for (const id of jobIds) await server.engine.change(id, { action: "cancel" }, new Date());
  const ended = new Set<string>();
  while (ended.size < jobIds.length) {
    for (const [name, { job_id }] of eventsIn((await client.poll()).packets)) {
      if (name === "job:error") ended.add(job_id);
    }
  }
  expect(ended).toEqual(new Set(jobIds));
});

test("[L4] a client that keeps sending requests without reading answers loses its connection", async () => {
  server = await openTestServer();
  const jobId = await createJob(server.engine);
  const client = await joined();
  await client.post(subscribe(jobId));
  const reader = server.connect();
  reader.socket.emit("subscribe:job", { job_id: jobId });
  await until(() => expect(server.watches()).toBe(2));

  const asked = Array.from({ length: 2000 }, () => '42["subscribe:job",{}]');
  for (let round = 0; round < 5; round++) await client.post(...asked);
  await until(() => expect(server.watches()).toBe(1));
  expect((await client.poll()).status).toBe(400);
  await (await startJob(server.engine, jobId)).deliver();
  await until(() => expect(reader.named("job:completed")).toHaveLength(1));
});

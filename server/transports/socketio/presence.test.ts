/** Presence: who looks, who is online, and who writes a note, for clients of the older system. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { AppError } from "#shared/errors.ts";
import { LegacyPresencePayloadSchema, LegacyTypingPayloadSchema } from "#shared/legacy.schema.ts";
import type { LegacyAnswer } from "#shared/legacy.ts";
import type { Principal } from "#shared/principal.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import {
  type Client,
  createBatch,
  createJob,
  openTestServer,
  type TestServer,
  until,
} from "#test/transports/socketio.fixture.ts";

let data: TestData;
let server: TestServer;
beforeEach(async () => {
  data = await newTestData();
  server = await open();
});
afterEach(async () => {
  await server.close();
  await data.remove();
});

const UNKNOWN = "00000000-0000-7000-8000-000000000000";
const LOCAL_TENANT = "local";

const person = (userId: string): Principal => ({
  userId,
  tenantId: LOCAL_TENANT,
  scopes: ["jobs:read", "jobs:review", "tenant"],
});

/** The token of a caller is their user id; that of a viewer of a job is the job's id. */
async function authenticate({ token = "" }: { token?: string | undefined }): Promise<Principal> {
  if (token === "") throw new AppError("UNAUTHENTICATED", "Who are you?");
  if (!/^[\da-f-]{36}$/.test(token)) return person(token);
  return { userId: "link:1", tenantId: LOCAL_TENANT, scopes: [`job:${token}:read`] };
}

const open = (port = 0) => openTestServer({ data, port, authenticate });

const connect = (token: string, options: Parameters<TestServer["connect"]>[0] = {}) =>
  server.connect({ auth: { token }, ...options });

const call = async (client: Client, name: string, payload?: unknown): Promise<LegacyAnswer> =>
  (await client.socket.timeout(120_000).emitWithAck(name, payload)) as LegacyAnswer;

const presenceOf = (client: Client) =>
  LegacyPresencePayloadSchema.parse(client.named("presence:update").at(-1));
const typingOf = (client: Client) =>
  LegacyTypingPayloadSchema.parse(client.named("typing:update").at(-1));
const namesOf = (client: Client) =>
  presenceOf(client)
    .people.map(({ user }) => user)
    .toSorted();

test("[W6] [L1] a client sees who looks at a job, and who writes a note, until it unsubscribes", async () => {
  const jobId = await createJob(server.engine);
  const ids = { job_id: jobId };
  const [ann, bob] = [connect("ann"), connect("bob")];
  for (const client of [ann, bob]) {
    expect(await call(client, "subscribe:presence", ids)).toEqual({ ok: true });
    expect(client.named("subscribed")).toEqual([{ presence: true, ...ids }]);
  }
  for (const client of [ann, bob])
    await until(() => expect(namesOf(client)).toEqual(["ann", "bob"]));
  expect(presenceOf(ann)).toMatchObject({ ...ids, count: 2, guests: 0 });

  expect(await call(bob, "typing:start", ids)).toEqual({ ok: true });
  await until(() => expect(typingOf(ann)).toMatchObject({ ...ids, count: 1, people: ["bob"] }));
  expect(await call(bob, "typing:stop", ids)).toEqual({ ok: true });
  await until(() => expect(typingOf(ann)).toMatchObject({ ...ids, count: 0, people: [] }));

  expect(await call(ann, "unsubscribe:presence", ids)).toEqual({ ok: true });
  const before = ann.notes.length;
  await call(bob, "typing:start", ids);
  await until(() => expect(typingOf(bob).people).toEqual(["bob"]));
  expect(ann.notes).toHaveLength(before);
});

test("[W6] of a batch and of the tenant, beside the subscriptions to the same batch", async () => {
  const { batchId } = await createBatch(server.engine, 1);
  const ann = connect("ann");
  await call(ann, "subscribe:batch", { batch_id: batchId });
  await call(ann, "subscribe:presence", { batch_id: batchId });
  await until(() => expect(ann.named("presence:update")).toHaveLength(1));
  expect(presenceOf(ann)).toMatchObject({ batch_id: batchId, count: 1 });
  await call(ann, "subscribe:presence", {});
  expect(ann.named("subscribed")).toEqual([
    { batch_id: batchId },
    { presence: true, batch_id: batchId },
    { presence: true },
  ]);
  await until(() => expect(presenceOf(ann)).not.toHaveProperty("batch_id"));
  expect(namesOf(ann)).toEqual(["ann"]);
  expect(ann.named("typing:update")).toEqual([]);
});

test("[W6] [W3] a viewer of a shared job is a guest, and receives no name", async () => {
  const jobId = await createJob(server.engine);
  const [ann, viewer] = [connect("ann"), connect(jobId)];
  await call(ann, "subscribe:presence", { job_id: jobId });
  await call(ann, "typing:start", { job_id: jobId });
  await call(viewer, "subscribe:presence", { job_id: jobId });
  await until(() => expect(presenceOf(ann)).toMatchObject({ count: 2, guests: 1 }));
  await until(() => expect(presenceOf(viewer)).toMatchObject({ count: 2, people: [] }));
  expect(typingOf(viewer)).toMatchObject({ count: 1, people: [] });
  expect(JSON.stringify(viewer.notes)).not.toContain("ann");
  const refused = { ok: false, error: { code: "FORBIDDEN" } };
  expect(await call(viewer, "subscribe:presence", {})).toMatchObject(refused);
  expect(await call(viewer, "typing:start", { job_id: jobId })).toMatchObject(refused);
});

test("[W6] [L5] a client that comes back to another server sees who is there, without asking", async () => {
  const jobId = await createJob(server.engine);
  const again = { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 50 };
  const [ann, bob] = [connect("ann", again), connect("bob", again)];
  for (const client of [ann, bob]) await call(client, "subscribe:presence", { job_id: jobId });
  await call(ann, "subscribe:presence", {});
  await until(() => expect(namesOf(bob)).toEqual(["ann", "bob"]));
  await server.close();
  const { port } = new URL(server.url);
  for (const client of [ann, bob]) client.notes.length = 0;
  server = await open(Number(port));
  await until(() => expect(namesOf(bob)).toEqual(["ann", "bob"]));
  await until(() => {
    const seen = ann.named("presence:update") as { job_id?: string }[];
    expect(new Set(seen.map(({ job_id }) => job_id))).toEqual(new Set([jobId, undefined]));
  });
  expect([ann.socket.recovered, bob.socket.recovered]).toEqual([true, true]);
  for (const client of [ann, bob]) {
    expect(client.named("subscription:error")).toEqual([]);
    client.socket.close();
  }
});

test("[W6] [L4] what is no presence request is refused with the correct form", async () => {
  const jobId = await createJob(server.engine);
  const ann = connect("ann");
  const bad = [undefined, null, 7, [], "job", { job_id: "" }, { job_id: 1 }, { batch_id: null }];
  const both = { job_id: jobId, batch_id: UNKNOWN };
  for (const payload of [...bad, both, { job_id: "x".repeat(201) }]) {
    expect(await call(ann, "subscribe:presence", payload)).toMatchObject({
      ok: false,
      error: {
        code: "BAD_REQUEST",
        message: expect.stringContaining('"batch_id", or with neither'),
      },
    });
  }
  for (const payload of [...bad, {}]) {
    expect(await call(ann, "typing:start", payload)).toMatchObject({
      ok: false,
      error: { code: "BAD_REQUEST", message: expect.stringContaining('"job_id"') },
    });
  }
  for (const [name, payload] of [
    ["subscribe:presence", { job_id: UNKNOWN }],
    ["subscribe:presence", { batch_id: jobId }],
    ["subscribe:presence", { job_id: "tenant" }],
    ["typing:start", { job_id: UNKNOWN }],
  ] as const) {
    expect(await call(ann, name, payload)).toMatchObject({ error: { code: "NOT_FOUND" } });
  }
});

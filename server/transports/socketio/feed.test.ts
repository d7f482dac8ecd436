/** The feed of older clients: each job of a user, or of a tenant. */
import type { Socket as ServerSocket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Authenticate } from "#server/transports/contract.ts";
import { LOCAL_PRINCIPAL, type Principal } from "#shared/principal.ts";
import type { LegacyAnswer } from "#shared/legacy.ts";
import { PERSON_SCOPES, type Scope } from "#shared/scopes.ts";
import {
  type Client,
  createJob,
  openTestServer,
  startJob,
  type TestServer,
  until,
} from "#test/transports/socketio.fixture.ts";

const person = (userId: string, tenantId = "acme", scopes: readonly Scope[] = PERSON_SCOPES) => ({
  tenantId,
  userId,
  scopes: [...scopes],
});
const ann = person("ann");
const bob = person("bob");
const eve = person("eve", "other", [...PERSON_SCOPES, "tenant"]);
const PEOPLE: Readonly<Record<string, Principal>> = {
  ann,
  bob,
  eve,
  boss: person("boss", "acme", [...PERSON_SCOPES, "tenant"]),
  writer: person("writer", "acme", ["jobs:write"]),
};
const authenticate: Authenticate = async ({ token = "" }) => PEOPLE[token] ?? LOCAL_PRINCIPAL;

let server: TestServer;
beforeEach(async () => {
  server = await openTestServer({ authenticate });
});
afterEach(() => server.close());

const as = (token: string, options: Parameters<TestServer["connect"]>[0] = {}) =>
  server.connect({ auth: { token }, ...options });
const call = async ({ socket }: Client, name: string, payload?: unknown): Promise<LegacyAnswer> =>
  (await socket
    .timeout(120_000)
    .emitWithAck(name, ...(payload === undefined ? [] : [payload]))) as LegacyAnswer;
const idsIn = (client: Client) =>
  client.named("job:update").map((payload) => (payload as { job_id: string }).job_id);
/** The newest state of each job. */
const newestIn = (client: Client) =>
  Object.fromEntries(
    client
      .named("job:update")
      .map((payload) => [(payload as { job_id: string }).job_id, payload] as const),
  );
const namesIn = (client: Client) => client.notes.map(([name]) => name);

describe("[L6] the feed", () => {
  test.each([[{}], [undefined], [{ all_owners: false }]])(
    "brings each job of its user as job:update alone, and none of others (asked with %j)",
    async (payload) => {
      const [before, others] = [
        await createJob(server.engine, { owner: ann }),
        await createJob(server.engine, { owner: bob }),
      ];
      const client = as("ann");
      expect(await call(client, "subscribe:feed", payload)).toEqual({ ok: true });
      expect(client.named("subscribed")).toEqual([{ feed: true }]);
      await until(() => expect(idsIn(client)).toEqual([before]));
      const after = await createJob(server.engine, { owner: ann });
      await until(() => expect(idsIn(client)).toEqual([before, after]));
      await (await startJob(server.engine, others)).deliver();
      await (await startJob(server.engine, before)).fail("Broken");
      await (await startJob(server.engine, after)).deliver();
      await until(() =>
        expect(newestIn(client)).toMatchObject({
          [before]: { status: "ABORTED", progress: 0, message: "Error: Broken" },
          [after]: { status: "DELIVERED", progress: 100 },
        }),
      );
      expect(new Set(namesIn(client))).toEqual(new Set(["connection", "subscribed", "job:update"]));
      expect(idsIn(client)).not.toContain(others);
    },
  );

  test("ends when the client unsubscribes, and other subscriptions go on", async () => {
    const jobId = await createJob(server.engine, { owner: ann });
    const client = as("ann");
    await call(client, "subscribe:feed", {});
    await call(client, "subscribe:job", { job_id: jobId });
    await until(() => expect(idsIn(client)).toEqual([jobId, jobId]));
    expect(server.watches()).toBe(2);
    expect(await call(client, "unsubscribe:feed", {})).toEqual({ ok: true });
    expect(await call(client, "unsubscribe:feed", {})).toEqual({ ok: true });
    await until(() => expect(server.watches()).toBe(1));
    await createJob(server.engine, { owner: ann });
    await (await startJob(server.engine, jobId)).deliver();
    await until(() => expect(client.named("job:completed")).toHaveLength(1));
    expect(new Set(idsIn(client))).toEqual(new Set([jobId]));
  });

  test("begins again with each job when the client subscribes again", async () => {
    const jobs = [
      await createJob(server.engine, { owner: ann }),
      await createJob(server.engine, { owner: ann }),
    ];
    const client = as("ann");
    await call(client, "subscribe:feed", {});
    await until(() => expect(idsIn(client)).toEqual(jobs));
    client.notes.length = 0;
    const both = [call(client, "subscribe:feed", {}), call(client, "subscribe:feed", {})];
    expect(await Promise.all(both)).toEqual([{ ok: true }, { ok: true }]);
    await until(() => expect(idsIn(client).slice(-2)).toEqual(jobs));
    expect(server.watches()).toBe(1);
  });

  test("of the tenant needs the scope `tenant`, and reaches no other tenant", async () => {
    const [anns, bobs, eves] = [
      await createJob(server.engine, { owner: ann }),
      await createJob(server.engine, { owner: bob }),
      await createJob(server.engine, { owner: eve }),
    ];
    const boss = as("boss");
    expect(await call(boss, "subscribe:feed", { all_owners: true })).toEqual({ ok: true });
    expect(boss.named("subscribed")).toEqual([{ feed: true, all_owners: true }]);
    await until(() => expect(idsIn(boss)).toEqual([anns, bobs]));
    // Its own feed is another subscription, and is empty.
    expect(await call(boss, "subscribe:feed", {})).toEqual({ ok: true });
    const stranger = as("eve");
    await call(stranger, "subscribe:feed", { all_owners: true });
    await until(() => expect(idsIn(stranger)).toEqual([eves]));
    expect(idsIn(boss)).toEqual([anns, bobs]);
    const client = as("ann");
    const refused = await call(client, "subscribe:feed", { all_owners: true });
    expect(refused).toMatchObject({ ok: false, error: { code: "FORBIDDEN" } });
    expect(client.named("subscription:error")).toEqual([
      { ...(refused as { error: object }).error, feed: true, all_owners: true },
    ]);
    const writer = as("writer");
    expect(await call(writer, "subscribe:feed", {})).toMatchObject({
      error: { code: "FORBIDDEN" },
    });
    expect([client, writer].flatMap(idsIn)).toEqual([]);
  });

  test.each([[null], [7], ["all"], [[]], [{ all_owners: "yes" }], [{ all_owners: null }]])(
    "refuses a request with %j with the correct form",
    async (payload) => {
      const client = as("ann");
      for (const name of ["subscribe:feed", "unsubscribe:feed"]) {
        const error = {
          code: "BAD_REQUEST",
          message:
            `"${name}" takes an object, with ` +
            "`true` or `false`" +
            ` in "all_owners" if it has that field.`,
        };
        expect(await call(client, name, payload)).toEqual({ ok: false, error });
        expect(client.notes.at(-1)).toEqual(["subscription:error", error]);
      }
    },
  );

  test("[L5] comes back with the client's session, without asking and without doubles", async () => {
    const jobId = await createJob(server.engine, { owner: ann });
    const options = { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 50 };
    const [quiet, asking] = [as("ann", options), as("ann", options)];
    const isRecovered: boolean[] = [];
    quiet.socket.on("connect", () => isRecovered.push(quiet.socket.recovered));
    asking.socket.on("connect", () => void asking.socket.emit("subscribe:feed", {}));
    await call(quiet, "subscribe:feed", {});
    for (const client of [quiet, asking]) {
      await until(() => expect(idsIn(client)).toEqual([jobId]));
      await until(() => expect(client.socket.io.engine.transport.name).toBe("websocket"));
      client.notes.length = 0;
    }
    for (const socket of server.sockets as ServerSocket[]) socket.destroy();
    for (const client of [quiet, asking]) await until(() => expect(idsIn(client)).toEqual([jobId]));
    const next = await createJob(server.engine, { owner: ann });
    for (const client of [quiet, asking])
      await until(() => expect(idsIn(client)).toEqual([jobId, next]));
    expect(isRecovered).toEqual([false, true]);
    expect(quiet.named("subscribed")).toEqual([]);
    // What came back by itself may precede the answer to the request.
    await until(() => expect(asking.named("subscribed")).toEqual([{ feed: true }]));
    for (const client of [quiet, asking]) expect(idsIn(client)).toEqual([jobId, next]);
    await until(() => expect(server.watches()).toBe(2));
    for (const { socket } of [quiet, asking]) socket.disconnect();
  });
});

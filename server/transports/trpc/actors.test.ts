/** The actor of each command's events, and its entry in the audit list, for every command and every way to sign in. */
import { createTRPCClient, createWSClient, httpBatchLink, wsLink } from "@trpc/client";
import superjson from "superjson";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { type App, createApp } from "#server/app.ts";
import { createApiKeys } from "#server/auth/api-keys.ts";
import { PROCEDURES } from "#server/auth/permissions.ts";
import { loadConfig } from "#server/config.ts";
import { openEngine } from "#server/engine/index.ts";
import { blocked, defineKind } from "#server/kinds/define.ts";
import type { Actor } from "#shared/actor.ts";
import type { AuditEntry } from "#shared/audit.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import { waits } from "#test/jobs/waits.ts";
import { auditOf } from "#test/engine/audit.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { signIn, startAppWithTokens, tokenFor } from "#test/transports/signed-in.fixture.ts";
import type { AppRouter } from "./router.ts";

const ABSENT = "0198f1a2-0000-7000-8000-000000000000";
const SCOPES = [...PERSON_SCOPES, "tenant", "admin"];

const blocks = defineKind({
  name: "blocks",
  description: "Asks a person.",
  input: z.object({}),
  output: z.unknown(),
  title: () => "Blocks",
  start: { progress: 0, message: "Begun" },
  run: async () => blocked("Look at it", {}),
});
const kinds = [waits, blocks];
const WAITS = { kind: "waits", input: {} };
const BLOCKS = { kind: "blocks", input: {} };

const authenticate = async () => ({ userId: "ü 😀", tenantId: "acme", scopes: SCOPES });
const tokenOf = (user: string, jti: string) => tokenFor(user, { jti, scope: SCOPES.join(" ") });

type Client = ReturnType<typeof createTRPCClient<AppRouter>>;

let data: TestData;
let app: App;
beforeEach(async () => {
  data = await newTestData();
  data.env.SHUTDOWN_GRACE_MS = "0";
  // Jobs that wait hold their places.
  data.env.CONCURRENCY = "20";
});
afterEach(async () => {
  await app.close();
  await data.remove();
});

function overHttp(headers: Record<string, string>): Client {
  const link = httpBatchLink({ url: `${app.url}/trpc`, headers, transformer: superjson });
  return createTRPCClient<AppRouter>({ links: [link] });
}
const withToken = (token: string) => overHttp({ authorization: `Bearer ${token}` });

function overSocket(token: string): Client {
  const client = createWSClient({
    url: `${app.url.replace("http", "ws")}/trpc`,
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    connectionParams: { token },
  });
  onTestFinished(() => client.close());
  return createTRPCClient<AppRouter>({ links: [wsLink({ client, transformer: superjson })] });
}

/** A client of a caller with all rights in the tenant of the tests, who reads what others did. */
const asAdmin = async () => withToken(await tokenFor("admin", { scope: SCOPES.join(" ") }));

async function entriesOf(client: Client): Promise<Omit<AuditEntry, "at">[]> {
  const { items } = await client.audit.list.query({ limit: 200 });
  return items.map(({ id: _id, at: _at, ...entry }) => entry);
}

async function newestEvent(client: Client, jobId: string) {
  const { items } = await client.job.events.query({ jobId });
  return items.at(-1);
}

function reaches(client: Client, jobId: string, status: string): Promise<void> {
  return vi.waitFor(async () => {
    expect((await client.job.get.query({ jobId })).status).toBe(status);
  });
}

async function blockedBy(client: Client): Promise<string> {
  const { id } = await client.job.create.mutate(BLOCKS);
  await reaches(client, id, "BLOCKED");
  return id;
}

async function waiting(client: Client): Promise<string> {
  return (await client.job.create.mutate(WAITS)).id;
}

/**
 * Every command: resolves to the id in its entry, and the jobs whose newest event it caused. `helper` prepares what the command
 * needs; the caller of the command gives it with `client`.
 */
const COMMANDS: Record<
  string,
  (client: Client, helper: Client) => Promise<{ target: string; jobs: string[] }>
> = {
  async "job.create"(client) {
    const { id } = await client.job.create.mutate(WAITS);
    return { target: id, jobs: [id] };
  },
  async "kinds.waits.create"(client) {
    const job = await client.kinds.waits?.create.mutate({ input: {} });
    return { target: job?.id ?? "", jobs: [job?.id ?? ""] };
  },
  async "kinds.waits.createMany"(client, helper) {
    const batch = await client.kinds.waits?.createMany.mutate({ jobs: [{ input: {} }] });
    const { items } = await helper.job.list.query({ batchId: batch?.id });
    return { target: batch?.id ?? "", jobs: items.map((job) => job.id) };
  },
  async "job.cancel"(client, helper) {
    const jobId = await waiting(helper);
    await client.job.cancel.mutate({ jobId, note: "no more" });
    return { target: jobId, jobs: [jobId] };
  },
  async "job.retry"(client, helper) {
    const jobId = await waiting(helper);
    await helper.job.cancel.mutate({ jobId });
    await client.job.retry.mutate({ jobId });
    return { target: jobId, jobs: [jobId] };
  },
  async "job.approve"(client, helper) {
    const jobId = await blockedBy(helper);
    await client.job.approve.mutate({ jobId });
    return { target: jobId, jobs: [jobId] };
  },
  async "job.reject"(client, helper) {
    const jobId = await blockedBy(helper);
    await client.job.reject.mutate({ jobId });
    return { target: jobId, jobs: [jobId] };
  },
  async "job.regenerate"(client, helper) {
    const jobId = await blockedBy(helper);
    await client.job.regenerate.mutate({ jobId });
    return { target: jobId, jobs: [jobId] };
  },
  async "batch.create"(client, helper) {
    const { id } = await client.batch.create.mutate({ jobs: [WAITS, WAITS, WAITS] });
    const { items } = await helper.job.list.query({ batchId: id });
    return { target: id, jobs: items.map((job) => job.id) };
  },
  async "batch.cancel"(client, helper) {
    const { id } = await helper.batch.create.mutate({ jobs: [WAITS, WAITS, WAITS] });
    const { items } = await helper.job.list.query({ batchId: id });
    await client.batch.cancel.mutate({ batchId: id });
    return { target: id, jobs: items.map((job) => job.id) };
  },
};
const CREATES = new Set(["job.create", "batch.create"]);
/** The action in the audit list, where it is not the name of the command. */
const ACTIONS: Record<string, string> = {
  "kinds.waits.create": "job.create",
  "kinds.waits.createMany": "batch.create",
};
/** Event types of commands that a caller's event may have been followed by, since the runner goes on. */
const CAUSED = new Set(["created", "aborted", "approved", "rejected", "requeued"]);

/** Runs every command as `client`, and checks what it left. Resolves to the commands. */
async function giveAll(client: Client, helper: Client, actor: Actor, credential: string | null) {
  for (const [command, run] of Object.entries(COMMANDS)) {
    const action = ACTIONS[command] ?? command;
    const before = await entriesOf(helper);
    // The jobs of a batch are listed for their owner.
    const { target, jobs } = await run(client, CREATES.has(action) ? client : helper);
    const added = (await entriesOf(helper)).slice(0, -before.length || undefined);
    const made = added.filter((entry) => entry.action === action);
    expect(made, action).toEqual([{ action, target, actor: { ...actor, credential } }]);
    expect(jobs.length, action).toBeGreaterThan(0);
    for (const jobId of jobs) {
      const { items } = await helper.job.events.query({ jobId });
      const caused = items.filter(({ type }) => CAUSED.has(type)).at(-1);
      expect(caused?.actor, `${action}: ${caused?.type}`).toEqual(actor);
      const others = items.filter(({ type }) => !CAUSED.has(type));
      for (const event of others) expect(event, action).not.toHaveProperty("actor");
    }
  }
  return Object.keys(COMMANDS);
}

/** These concern credentials, or what lasts for a moment. */
const STORES_NOTHING = ["auth.refresh", "auth.revoke", "auth.ticket", "job.typing"];

test("[P17] every mutation but those of credentials is one of these commands", async () => {
  app = await startAppWithTokens(data, { kinds });
  const { createRouter } = await import("./router.ts");
  const router = createRouter({ intervalMs: 1000, timeoutMs: 1000 }, ["waits"]);
  const { procedures } = router._def as unknown as {
    procedures: Record<string, { _def: { type: string } }>;
  };
  const mutations = [...PROCEDURES.keys()]
    .map((entry) => entry.replace("*", "waits"))
    .filter((path) => procedures[path]?._def.type === "mutation");
  expect(mutations.toSorted()).toEqual(
    [
      ...Object.keys(COMMANDS),
      ...SHARING,
      ...SCHEDULING,
      ...OPERATING,
      ...STORES_NOTHING,
    ].toSorted(),
  );
});

/** `server/transports/trpc/operating.test.ts` asks for their entries. */
const OPERATING = ["pause.set", "pause.remove", "worker.drain", "worker.resume"];

const SCHEDULING = ["upsert", "pause", "resume", "trigger", "delete"].map(
  (name) => `schedule.${name}`,
);

test("[P16] [P17] [K8] each change of a schedule has an entry, and a job that is fired by hand names caller and schedule", async () => {
  app = await startAppWithTokens(data, { kinds });
  const admin = await asAdmin();
  const ann = withToken(await tokenOf("ann", "of ann"));
  const asked = { ...WAITS, key: "yearly", cron: "@yearly" };
  const { id: scheduleId } = await ann.schedule.upsert.mutate(asked);
  const boss = withToken(await tokenOf("boss", "of the boss"));
  const { id: jobId, owner } = await boss.schedule.trigger.mutate({ scheduleId });
  expect(owner).toBe("ann");
  const { items } = await admin.job.events.query({ jobId });
  expect(items[0]?.actor).toEqual({ user: "boss", via: "token", scheduleId });
  expect((await ann.schedule.get.query({ scheduleId })).lastJobId).toBe(jobId);
  await ann.schedule.pause.mutate({ scheduleId });
  await ann.schedule.resume.mutate({ scheduleId });
  // These change nothing.
  await ann.schedule.resume.mutate({ scheduleId });
  await ann.schedule.upsert.mutate(asked);
  await ann.schedule.delete.mutate({ scheduleId });
  const actor = { user: "ann", via: "token", credential: "of ann" };
  const by = (action: string) => ({ action: `schedule.${action}`, target: scheduleId, actor });
  expect(await entriesOf(admin)).toEqual([
    by("delete"),
    by("resume"),
    by("pause"),
    { ...by("trigger"), actor: { user: "boss", via: "token", credential: "of the boss" } },
    by("upsert"),
  ]);
});

const SHARING = ["job.share", "job.unshare", "batch.share", "batch.unshare"];

test("[P17] a share link has an entry when it is made and when it is switched off, and a stream token has none", async () => {
  app = await startAppWithTokens(data, { kinds });
  const admin = await asAdmin();
  const ann = withToken(await tokenOf("ann", "of ann"));
  const { id: jobId } = await ann.job.create.mutate(WAITS);
  const { id: batchId } = await ann.batch.create.mutate({ jobs: [WAITS] });
  const before = await entriesOf(admin);
  await ann.job.share.mutate({ jobId });
  await ann.job.share.mutate({ jobId, link: true });
  await ann.batch.share.mutate({ batchId, link: true });
  await ann.batch.unshare.mutate({ batchId });
  await ann.job.unshare.mutate({ jobId });
  await ann.job.unshare.mutate({ jobId });
  const actor = { user: "ann", via: "token", credential: "of ann" };
  expect((await entriesOf(admin)).slice(0, -before.length)).toEqual([
    { action: "job.unshare", target: jobId, actor },
    { action: "batch.unshare", target: batchId, actor },
    { action: "batch.share", target: batchId, actor },
    { action: "job.share", target: jobId, actor },
  ]);
});

test("[P17] a revocation has an entry that names the admin, and a refused one has none", async () => {
  app = await startAppWithTokens(data, { kinds });
  const admin = withToken(await tokenOf("admin", "of the admin"));
  await admin.auth.revoke.mutate({ tokenId: "lost" });
  await admin.auth.revoke.mutate({ user: "leaver" });
  const expired = { tokenId: "expired", expiresAt: new Date(0) };
  await expect(admin.auth.revoke.mutate(expired)).rejects.toThrow("expired already");
  const actor = { user: "admin", via: "token", credential: "of the admin" };
  expect(await entriesOf(admin)).toEqual([
    { action: "user.revoke", target: "leaver", actor },
    { action: "token.revoke", target: "lost", actor },
  ]);
});

describe("[P16] [P17] each event of a command names its caller, and the audit list has one entry", () => {
  test.each(["HTTP", "WebSocket"])("with a token over %s", async (transport) => {
    app = await startAppWithTokens(data, { kinds });
    const token = await tokenFor("ann", { jti: "token 1", scope: SCOPES.join(" ") });
    const client = transport === "HTTP" ? withToken(token) : overSocket(token);
    expect(
      await giveAll(client, await asAdmin(), { user: "ann", via: "token" }, "token 1"),
    ).toEqual(Object.keys(COMMANDS));
  });

  test("with an API key, and with a sign-in that was made with one", async () => {
    const engine = await openEngine(data.config);
    const { key, record } = await createApiKeys({
      store: engine.apiKeys,
      audit: auditOf(engine),
      now: () => new Date(),
    }).create({
      tenant: "acme",
      user: "reports",
      scopes: SCOPES,
      label: "Nightly",
      expiresAt: null,
    });
    await engine.close();
    app = await startAppWithTokens(data, { kinds });
    const helper = await asAdmin();
    expect(await entriesOf(helper)).toEqual([
      {
        action: "key.create",
        target: record.id,
        actor: { user: "", via: "command", credential: null },
      },
    ]);
    expect(
      await giveAll(overSocket(key), helper, { user: "reports", via: "key" }, record.id),
    ).toEqual(Object.keys(COMMANDS));
    const cookie = await signIn(app, key);
    const page = overHttp({ cookie, origin: app.url });
    expect(await giveAll(page, helper, { user: "reports", via: "sign-in" }, record.id)).toEqual(
      Object.keys(COMMANDS),
    );
  });

  test("with the `authenticate` function of a program", async () => {
    const config = loadConfig({ PORT: "0", LOG_LEVEL: "silent", ...data.env });
    app = await createApp(config, { kinds, authenticate });
    const client = overHttp({});
    expect(await giveAll(client, client, { user: "ü 😀", via: "authenticate" }, null)).toEqual(
      Object.keys(COMMANDS),
    );
  });

  test("on a server without sign-in", async () => {
    app = await createApp(loadConfig({ PORT: "0", LOG_LEVEL: "silent", ...data.env }), { kinds });
    const client = overHttp({});
    const id = await waiting(client);
    await client.job.cancel.mutate({ jobId: id });
    const actor = { user: "local", via: "anonymous" };
    expect(await newestEvent(client, id)).toMatchObject({ type: "aborted", actor });
    await expect(client.audit.list.query()).rejects.toMatchObject({
      data: { appCode: "FORBIDDEN" },
    });
    await app.close();
    const engine = await openEngine(data.config);
    const { items } = await auditOf(engine).list({ tenant: "local", limit: 9 });
    expect(items.map(({ action }) => action)).toEqual(["job.cancel", "job.create"]);
    await engine.close();
  });
});

test("[P16] [P17] the actor is the caller of that moment: after a refresh, and of several on one job", async () => {
  app = await startAppWithTokens(data, { kinds });
  const helper = await asAdmin();
  const ann = overSocket(await tokenOf("ann", "1"));
  const jobId = await waiting(ann);
  await withToken(await tokenOf("bob", "2")).job.cancel.mutate({ jobId });
  await ann.auth.refresh.mutate({ token: await tokenOf("ann", "3") });
  await ann.job.retry.mutate({ jobId });
  await helper.job.cancel.mutate({ jobId });
  const { items } = await ann.job.events.query({ jobId });
  const caused = items.filter(({ type }) => CAUSED.has(type));
  expect(caused.map(({ actor }) => actor?.user)).toEqual(["ann", "bob", "ann", "admin"]);
  const entries = await entriesOf(helper);
  expect(entries.map(({ actor }) => actor.credential)).toEqual([null, "3", "2", "1"]);
});

test("[P17] commands that are refused, or change nothing, leave no entry", async () => {
  app = await startAppWithTokens(data, { kinds });
  const helper = await asAdmin();
  const ann = withToken(await tokenFor("ann"));
  const stranger = withToken(await tokenFor("eve"));
  const reader = withToken(await tokenFor("ann", { scope: "jobs:read" }));
  const jobId = await waiting(ann);
  const batch = { jobs: [WAITS, WAITS], idempotencyKey: "k" };
  const { id: batchId } = await ann.batch.create.mutate(batch);
  await ann.batch.cancel.mutate({ batchId });
  await ann.job.create.mutate({ ...WAITS, idempotencyKey: "k" });
  const before = await entriesOf(helper);
  expect(before).toHaveLength(4);

  await ann.job.create.mutate({ ...WAITS, idempotencyKey: "k" });
  await ann.batch.create.mutate(batch);
  await ann.batch.cancel.mutate({ batchId });
  const refused = [
    ann.job.approve.mutate({ jobId }),
    ann.job.cancel.mutate({ jobId: ABSENT }),
    ann.job.create.mutate({ kind: "none", input: {} }),
    ann.job.create.mutate({ kind: "waits", input: 7 }),
    ann.batch.create.mutate({ jobs: [WAITS, { kind: "none", input: {} }] }),
    ann.batch.cancel.mutate({ batchId: ABSENT }),
    stranger.job.cancel.mutate({ jobId }),
    stranger.batch.cancel.mutate({ batchId }),
    reader.job.cancel.mutate({ jobId }),
    reader.job.create.mutate(WAITS),
  ];
  const ends = await Promise.allSettled(refused);
  expect(ends.map(({ status }) => status)).toEqual(refused.map(() => "rejected"));
  expect(await entriesOf(helper)).toEqual(before);
});

test("[P17] the list is of the caller's tenant, in pages, and can be searched", async () => {
  app = await startAppWithTokens(data, { kinds });
  const helper = await asAdmin();
  const elsewhere = { tenant: "bakery", scope: SCOPES.join(" ") };
  const other = withToken(await tokenFor("ann", elsewhere));
  const [ann, bob] = [withToken(await tokenFor("ann")), withToken(await tokenFor("bob"))];
  await other.job.create.mutate(WAITS);
  const ids: string[] = [];
  for (const client of [ann, bob, ann, bob, ann]) ids.unshift(await waiting(client));
  await ann.job.cancel.mutate({ jobId: ids[0] ?? "" });
  expect((await entriesOf(other)).map(({ actor }) => actor.user)).toEqual(["ann"]);
  const pages = async (filter: Parameters<typeof helper.audit.list.query>[0]) => {
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof helper.audit.list.query>> =
        await helper.audit.list.query({ ...filter, limit: 2, cursor });
      expect(page.items.length).toBeLessThanOrEqual(2);
      found.push(...page.items.map(({ target }) => target));
      cursor = page.nextCursor;
    } while (cursor !== null);
    return found;
  };
  expect(await pages({})).toEqual([ids[0], ...ids]);
  expect(await pages({ user: "ann" })).toEqual([ids[0], ids[0], ids[2], ids[4]]);
  expect(await pages({ user: "ann", action: "job.create" })).toEqual([ids[0], ids[2], ids[4]]);
  expect(await pages({ action: "job.approve" })).toEqual([]);
  const entry = (await helper.audit.list.query({ limit: 1 })).items[0];
  expect(Object.keys(entry ?? {}).toSorted()).toEqual(["action", "actor", "at", "id", "target"]);
});

/** Workers and pauses by callers of all kinds: who may, what they see, and what is recorded. */
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import superjson from "superjson";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { App } from "#server/app.ts";
import { createApiKeys } from "#server/auth/api-keys.ts";
import { openEngine } from "#server/engine/index.ts";
import { INSTANCE_LIST } from "#shared/audit.ts";
import { MAX_PAUSE_NOTE_CHARS } from "#shared/limits.ts";
import { auditOf } from "#test/engine/audit.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { waits } from "#test/jobs/waits.ts";
import { startAppWithTokens, tokenFor } from "#test/transports/signed-in.fixture.ts";
import type { AppRouter } from "./router.ts";

type Client = ReturnType<typeof createTRPCClient<AppRouter>>;
const WAITS = { kind: "waits", input: {} };
const FORBIDDEN = { data: { appCode: "FORBIDDEN" } };
const BAD_REQUEST = { data: { appCode: "BAD_REQUEST" } };
const NOT_FOUND = { data: { appCode: "NOT_FOUND" } };

let data: TestData;
let app: App;
let operator: Client;
beforeEach(async () => {
  data = await newTestData();
  data.env.SHUTDOWN_GRACE_MS = "0";
  const engine = await openEngine(data.config);
  const apiKeys = createApiKeys({ store: engine.apiKeys, audit: auditOf(engine), now });
  const made = await apiKeys.create({
    tenant: "ops",
    user: "olga",
    scopes: ["operator"],
    label: "",
    expiresAt: null,
  });
  await engine.close();
  app = await startAppWithTokens(data, { kinds: [waits] });
  operator = withToken(made.key);
});
afterEach(async () => {
  await app.close();
  await data.remove();
});

function withToken(token: string): Client {
  const headers = { authorization: `Bearer ${token}` };
  const link = httpBatchLink({ url: `${app.url}/trpc`, headers, transformer: superjson });
  return createTRPCClient<AppRouter>({ links: [link] });
}
const withScope = async (scope: string, tenant = "acme") =>
  withToken(await tokenFor("ann", { scope, tenant }));

const now = () => new Date();

async function statusOf(client: Client, jobId: string): Promise<string> {
  return (await client.job.get.query({ jobId })).status;
}

async function recorded(tenant: string) {
  await app.close();
  const engine = await openEngine(data.config);
  const { items } = await auditOf(engine).list({ tenant, limit: 99 });
  await engine.close();
  return items.map(({ action, target, actor: { user, via } }) => [action, target, user, via]);
}

test("[O3] an admin pauses and resumes the own tenant, and nothing else", async () => {
  const admin = await withScope("admin");
  await expect(admin.pause.set.mutate({})).rejects.toMatchObject(FORBIDDEN);
  await expect(admin.pause.set.mutate()).rejects.toMatchObject(FORBIDDEN);
  await expect(admin.pause.set.mutate({ tenant: "bakery" })).rejects.toMatchObject(FORBIDDEN);
  await operator.pause.set.mutate({ note: "All" });
  await operator.pause.set.mutate({ tenant: "bakery", note: "Theirs" });
  await expect(admin.pause.remove.mutate({})).rejects.toMatchObject(FORBIDDEN);
  await expect(admin.pause.remove.mutate({ tenant: "bakery" })).rejects.toMatchObject(FORBIDDEN);
  // The answer does not show if there is such a pause.
  await expect(admin.pause.remove.mutate({ tenant: "none" })).rejects.toMatchObject(FORBIDDEN);
  await expect(admin.worker.list.query()).rejects.toMatchObject(FORBIDDEN);

  const mine = await admin.pause.set.mutate({ tenant: "acme", note: " Ours " });
  expect(mine).toMatchObject({ tenant: "acme", note: "Ours", by: { user: "ann", via: "token" } });
  const seen = await admin.pause.list.query();
  // The operator's name is not for tenants.
  expect(seen.map(({ tenant, note, by }) => [tenant, note, by.user])).toEqual([
    [undefined, "All", ""],
    ["acme", "Ours", "ann"],
  ]);
  expect((await operator.pause.list.query()).map(({ note }) => note)).toEqual([
    "All",
    "Ours",
    "Theirs",
  ]);
  const reader = await withScope("jobs:read", "bakery");
  expect((await reader.pause.list.query()).map(({ note }) => note)).toEqual(["All", "Theirs"]);
  await expect(reader.pause.remove.mutate({ tenant: "bakery" })).rejects.toMatchObject(FORBIDDEN);
  await expect((await withScope("jobs:write")).pause.list.query()).rejects.toMatchObject(FORBIDDEN);
  expect(await admin.pause.remove.mutate({ tenant: "acme" })).toEqual(mine);
  await expect(admin.pause.remove.mutate({ tenant: "acme" })).rejects.toMatchObject(NOT_FOUND);
});

test("[O5] a paused tenant's jobs wait while those of another run", async () => {
  const [ann, bob] = [
    await withScope("jobs:read jobs:write admin"),
    await withScope("jobs:read jobs:write", "bakery"),
  ];
  await ann.pause.set.mutate({ tenant: "acme" });
  const { id: waiting } = await ann.job.create.mutate(WAITS);
  const { id: running } = await bob.job.create.mutate(WAITS);
  await vi.waitFor(async () => expect(await statusOf(bob, running)).toBe("PROCESSING"));
  expect(await statusOf(ann, waiting)).toBe("PENDING");
  const [worker] = (await operator.worker.list.query()).items;
  expect(worker).toMatchObject({
    state: "running",
    running: 1,
    jobs: [{ id: running, tenant: "bakery", kind: "waits", attempt: 1 }],
  });
  await ann.pause.remove.mutate({ tenant: "acme" });
  await vi.waitFor(async () => expect(await statusOf(ann, waiting)).toBe("PROCESSING"));
});

test("[O3] [O5] an admin pauses a kind of the own tenant, and an operator a kind of all", async () => {
  const admin = await withScope("jobs:read jobs:write admin");
  const bob = await withScope("jobs:read jobs:write", "bakery");
  const kind = "waits";
  await expect(admin.pause.set.mutate({ kind })).rejects.toMatchObject(FORBIDDEN);
  await expect(admin.pause.set.mutate({ kind, tenant: "bakery" })).rejects.toMatchObject(FORBIDDEN);
  await admin.pause.set.mutate({ kind, tenant: "acme" });
  const { id: waiting } = await admin.job.create.mutate(WAITS);
  const { id: running } = await bob.job.create.mutate(WAITS);
  await vi.waitFor(async () => expect(await statusOf(bob, running)).toBe("PROCESSING"));
  expect(await admin.job.waiting.query({ jobId: waiting })).toMatchObject({
    message: "The jobs of its kind and tenant are paused",
  });
  await operator.pause.set.mutate({ kind, note: "Full" });
  await expect(admin.pause.remove.mutate({ kind })).rejects.toMatchObject(FORBIDDEN);
  await admin.pause.remove.mutate({ kind, tenant: "acme" });
  expect(await admin.pause.list.query()).toMatchObject([{ kind, note: "Full", by: { user: "" } }]);
  expect(await admin.job.waiting.query({ jobId: waiting })).toMatchObject({
    message: "The jobs of its kind are paused",
  });
  expect(await statusOf(admin, waiting)).toBe("PENDING");
  await operator.pause.remove.mutate({ kind });
  await vi.waitFor(async () => expect(await statusOf(admin, waiting)).toBe("PROCESSING"));
});

test("[O2] [O3] inputs that cannot be used are refused", async () => {
  const long = "x".repeat(MAX_PAUSE_NOTE_CHARS + 1);
  const refused = [
    () => operator.pause.set.mutate({ note: long }),
    () => operator.pause.set.mutate({ tenant: "" }),
    () => operator.pause.set.mutate({ tenant: "x".repeat(301) }),
    () => operator.pause.set.mutate({ tenant: "\uD800" }),
    // Without the field that is not known, these would be about everything.
    () => operator.pause.set.mutate({ kinds: "waits" } as object),
    () => operator.pause.remove.mutate({ kinds: "waits" } as object),
    () => operator.pause.set.mutate({ kind: "" }),
    () => operator.pause.set.mutate({ kind: "x".repeat(101) }),
    () => operator.worker.list.query({ limit: 101 }),
    () => operator.worker.list.query({ limit: 0 }),
    () => operator.worker.drain.mutate({ workerId: "" }),
    () => operator.worker.drain.mutate({ workerId: "x".repeat(101) }),
  ];
  for (const call of refused) await expect(call()).rejects.toMatchObject(BAD_REQUEST);
  await expect(operator.worker.drain.mutate({ workerId: "none" })).rejects.toMatchObject(NOT_FOUND);
  expect(await operator.pause.list.query()).toEqual([]);
});

test("[O7] entries name the operator in the list of the instance, or of the tenant", async () => {
  const [worker] = (await operator.worker.list.query()).items;
  const workerId = worker?.id ?? "";
  expect(await operator.worker.drain.mutate({ workerId })).toMatchObject({ state: "drained" });
  await vi.waitFor(async () => {
    expect((await operator.worker.list.query()).items).toMatchObject([{ state: "drained" }]);
  });
  await operator.worker.resume.mutate({ workerId });
  await operator.pause.set.mutate({});
  await operator.pause.remove.mutate({});
  await operator.pause.set.mutate({ tenant: "acme" });
  const admin = await withScope("admin");
  const { items } = await admin.audit.list.query();
  expect(items.map(({ action, target, actor }) => [action, target, actor.user])).toEqual([
    ["pause.set", 'the tenant "acme"', "olga"],
  ]);
  expect(await recorded(INSTANCE_LIST)).toEqual([
    ["pause.remove", "everything", "olga", "key"],
    ["pause.set", "everything", "olga", "key"],
    ["worker.resume", workerId, "olga", "key"],
    ["worker.drain", workerId, "olga", "key"],
  ]);
});

const readiness = async () => (await fetch(`${app.url}/readyz`)).text();

test("[O8] readiness says that everything is paused", async () => {
  expect(await readiness()).not.toContain("paused");
  await operator.pause.set.mutate({ tenant: "acme" });
  expect(await readiness()).not.toContain("paused");
  await operator.pause.set.mutate({});
  expect(await readiness()).toContain("Everything is paused");
});

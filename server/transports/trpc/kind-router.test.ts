/** The procedures of single kinds, beside those of all. */
import { TRPCClientError } from "@trpc/client";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineKind } from "#server/kinds/define.ts";
import type { FlatIssues } from "#shared/api.ts";
import type { DraftFrame } from "#shared/events.ts";
import { MAX_START_DELAY_MS } from "#shared/limits.ts";
import { ownerOf } from "#shared/principal.ts";
import { me } from "#test/jobs/acting.ts";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import {
  type Client,
  openClient,
  openTestServer,
  takeNotes,
} from "#test/transports/trpc.fixture.ts";

const LINKS = ["ws", "sse"] as const;

const mail = defineKind({
  name: "mail",
  input: z.object({ to: z.email(), copies: z.int().min(1).default(1) }),
  output: z.object({ sent: z.int() }),
  async run({ input, draft }) {
    await draft(`Dear ${input.to}`);
    return { sent: input.copies };
  },
});

const kinds = { kinds: [mail] };
const ann = { to: "ann@example.com" };

const authenticate = async ({ headers }: { headers: Record<string, unknown> }) => {
  const userId = String(headers.authorization).replace("Bearer ", "");
  return { userId, tenantId: "acme", scopes: ["jobs:read", "jobs:write"] };
};

function proceduresOf(client: Client, kind: string) {
  const procedures = client.kinds[kind];
  if (procedures === undefined) throw new Error("A client has procedures of every name.");
  return procedures;
}

async function refusalOf(call: Promise<unknown>) {
  const error = await call.catch((thrown: unknown) => thrown);
  if (!(error instanceof TRPCClientError)) throw new Error("It was not refused.");
  return { message: error.message, ...(error.data as Record<string, unknown>) };
}

describe.each(LINKS)("[J17] over %s", (link) => {
  test("a job of a kind is created, watched to its end, and read", async () => {
    const { url, fixture } = await openTestServer(kinds);
    const client = openClient(url, link);
    const mails = proceduresOf(client, "mail");
    const created = await mails.create.mutate({ input: ann });
    expect(created).toMatchObject({ kind: "mail", title: "mail", input: { ...ann, copies: 1 } });
    const input = { jobId: created.id, lastEventId: "0" };
    const events = takeNotes((handlers) => mails.onUpdate.subscribe(input, handlers));
    const drafts = takeNotes<DraftFrame>((handlers) => mails.onOutput.subscribe(input, handlers));
    fixture.startRunner();
    await eventually(() => expect([events.state, drafts.state]).toEqual(["complete", "complete"]));
    expect(events.data).toMatchObject([
      { type: "created" },
      { type: "started", message: "Job started" },
      { type: "delivered", message: "Delivered" },
    ]);
    expect(drafts.data.map(({ text }) => text).join("")).toBe("Dear ann@example.com");
    expect(await mails.get.query({ jobId: created.id })).toEqual(
      await client.job.get.query({ jobId: created.id }),
    );
    expect(await mails.get.query({ jobId: created.id })).toMatchObject({ output: { sent: 1 } });
  });

  test("a key makes it one job, also with `job.create`", async () => {
    const { url } = await openTestServer(kinds);
    const client = openClient(url, link);
    const request = { input: ann, idempotencyKey: "once" };
    const { id } = await proceduresOf(client, "mail").create.mutate(request);
    expect(await proceduresOf(client, "mail").create.mutate(request)).toMatchObject({ id });
    expect(await client.job.create.mutate({ kind: "mail", ...request })).toMatchObject({ id });
  });

  test("[J21] [J22] [J24] options reach a job by each way of creating one, and come back as dates", async () => {
    const { url } = await openTestServer(kinds);
    const client = openClient(url, link);
    const mails = proceduresOf(client, "mail");
    const runAt = new Date(Date.now() + 3_600_000);
    const options = { priority: 3, maxAttempts: 2, runAt, expiresInMs: 60_000 };
    const job = { kind: "mail", input: ann };
    const batch = await client.batch.create.mutate({ jobs: [job], ...options });
    const many = await mails.createMany.mutate({ jobs: [{ input: ann }], ...options });
    const ids = [
      (await client.job.create.mutate({ ...job, ...options })).id,
      (await mails.create.mutate({ input: ann, ...options, runAt: runAt.toISOString() })).id,
    ];
    for (const { id: batchId } of [batch, many]) {
      const { items } = await client.job.list.query({ batchId });
      ids.push(...items.map(({ id }) => id));
    }
    expect(ids).toHaveLength(4);
    const expiresAt = new Date(runAt.getTime() + 60_000);
    const stored = { priority: 3, maxAttempts: 2, startsAt: runAt, expiresAt, status: "PENDING" };
    for (const jobId of ids) {
      expect(await mails.get.query({ jobId })).toMatchObject(stored);
    }
    const { items } = await mails.list.query({ limit: 9 });
    expect(items).toEqual(Array(4).fill(expect.objectContaining(stored)));

    const later = await mails.create.mutate({ input: ann, delayMs: 5000 });
    const { createdAt, startsAt } = later;
    expect((startsAt?.getTime() ?? 0) - createdAt.getTime()).toBeGreaterThan(4000);
    const past = await mails.create.mutate({ input: ann, runAt: new Date(0) });
    expect(past).toMatchObject({ startsAt: null, expiresAt: null, priority: 0, maxAttempts: null });
  });

  test("[J23] [J4] calls of one debounce are one job, and a key that was used answers with its first job", async () => {
    const { url } = await openTestServer(kinds);
    const client = openClient(url, link);
    const mails = proceduresOf(client, "mail");
    const debounce = { key: "ann", windowMs: 60_000 };
    const first = await mails.create.mutate({ input: ann, debounce });
    const bob = { to: "bob@example.com" };
    const second = await client.job.create.mutate({ kind: "mail", input: bob, debounce });
    expect(second).toMatchObject({ id: first.id, version: 2, input: { ...bob, copies: 1 } });
    const keyed = { input: ann, idempotencyKey: "options" };
    const { id } = await mails.create.mutate({ ...keyed, priority: 1 });
    expect(await mails.create.mutate({ ...keyed, priority: 9, delayMs: 9 })).toMatchObject({
      id,
      priority: 1,
      startsAt: null,
    });
  });

  test.each([
    [{ delayMs: 1, runAt: new Date(0) }, "runAt"],
    [{ delayMs: 1, debounce: { key: "k", windowMs: 1 } }, "debounce"],
    [{ idempotencyKey: "k", debounce: { key: "k", windowMs: 1 } }, "debounce"],
    [{ debounce: { key: "k", windowMs: 2, maxWaitMs: 1 } }, "debounce.maxWaitMs"],
    [{ debounce: { key: "", windowMs: 2 } }, "debounce.key"],
    [{ priority: -1 }, "priority"],
    [{ priority: 1.5 }, "priority"],
    [{ maxAttempts: 0 }, "maxAttempts"],
    [{ runAt: "tomorrow" }, "runAt"],
    [{ expiresInMs: 0 }, "expiresInMs"],
  ])("[J25] the options %j are refused, and the error names %s", async (options, path) => {
    const { url } = await openTestServer(kinds);
    const mails = proceduresOf(openClient(url, link), "mail");
    const refused = await refusalOf(mails.create.mutate({ input: ann, ...options }));
    expect(refused).toMatchObject({ appCode: "BAD_REQUEST" });
    const { fieldErrors } = (refused as { zodError?: FlatIssues }).zodError ?? {};
    expect(Object.keys(fieldErrors ?? {})).toEqual([path]);
    expect((await mails.list.query()).items).toEqual([]);
  });

  test("[J25] a start in more than a year is refused", async () => {
    const { url } = await openTestServer(kinds);
    const mails = proceduresOf(openClient(url, link), "mail");
    const runAt = new Date(Date.now() + MAX_START_DELAY_MS + 60_000);
    const refused = await refusalOf(mails.create.mutate({ input: ann, runAt }));
    expect(refused).toMatchObject({ appCode: "BAD_REQUEST" });
    expect(refused.message).toContain("MAX_START_DELAY_MS");
  });

  test("an input that does not fit is refused with its paths, as by the procedures of all kinds", async () => {
    const { url } = await openTestServer(kinds);
    const client = openClient(url, link);
    const mails = proceduresOf(client, "mail");
    const input = { to: "ann", copies: 0 };
    const one = await refusalOf(mails.create.mutate({ input }));
    const fieldErrors = { "input.to": expect.any(Array), "input.copies": expect.any(Array) };
    expect(one).toMatchObject({ appCode: "BAD_REQUEST", zodError: { fieldErrors } });
    const same = await refusalOf(client.job.create.mutate({ kind: "mail", input }));
    expect({ ...one, path: "job.create" }).toEqual(same);
    const many = await refusalOf(mails.createMany.mutate({ jobs: [{ input: ann }, { input }] }));
    expect(many).toMatchObject({
      appCode: "BAD_REQUEST",
      message: expect.stringContaining("Row 2: to: Invalid email address."),
    });
    expect(await client.job.list.query()).toMatchObject({ items: [] });
  });

  test("many are created as a batch, and listed without jobs of other kinds", async () => {
    const { url } = await openTestServer(kinds);
    const client = openClient(url, link);
    const mails = proceduresOf(client, "mail");
    await client.job.create.mutate({ kind: "work", input: {} });
    const jobs = [{ input: ann }, { input: { to: "bob@example.com" } }];
    const batch = await mails.createMany.mutate({ name: "Two", jobs });
    expect(batch).toMatchObject({ name: "Two", total: 2 });
    const { id } = await mails.create.mutate({ input: ann });
    const { items } = await mails.list.query();
    expect(items.map(({ kind }) => kind)).toEqual(["mail", "mail", "mail"]);
    expect(items[0]).toMatchObject({ id });
    expect((await mails.list.query({ batchId: batch.id })).items).toHaveLength(2);
    expect((await mails.list.query({ status: "DELIVERED" })).items).toEqual([]);
    expect((await proceduresOf(client, "work").list.query()).items).toHaveLength(1);
  });

  test("a job of another kind is not found, and the message names its kind", async () => {
    const { url } = await openTestServer(kinds);
    const client = openClient(url, link);
    const { id: jobId } = await client.job.create.mutate({ kind: "work", input: {} });
    const mails = proceduresOf(client, "mail");
    const message = `Job ${jobId} is of the kind "work" and not of "mail".`;
    expect(await refusalOf(mails.get.query({ jobId }))).toMatchObject({
      appCode: "NOT_FOUND",
      message,
    });
    const events = takeNotes((handlers) => mails.onUpdate.subscribe({ jobId }, handlers));
    const drafts = takeNotes((handlers) => mails.onOutput.subscribe({ jobId }, handlers));
    await eventually(() => expect([events.state, drafts.state]).toEqual(["failed", "failed"]));
    for (const { errors } of [events, drafts]) {
      expect(errors[0]).toMatchObject({ message, data: { appCode: "NOT_FOUND" } });
    }
  });

  test("a kind that is not registered has no procedures", async () => {
    const { url } = await openTestServer(kinds);
    const call = proceduresOf(openClient(url, link), "lost").create.mutate({ input: {} });
    expect(await refusalOf(call)).toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining('"kinds.lost.create"'),
    });
  });
});

test("what may not be read is not found, whatever its kind is", async () => {
  const { url } = await openTestServer({ ...kinds, authenticate });
  const { id: jobId } = await openClient(url, "sse", "ann").job.create.mutate({
    kind: "work",
    input: {},
  });
  const bob = openClient(url, "sse", "bob");
  for (const kind of ["work", "mail"]) {
    expect(await refusalOf(proceduresOf(bob, kind).get.query({ jobId }))).toMatchObject({
      appCode: "NOT_FOUND",
      message: `Job ${jobId} does not exist.`,
    });
  }
});

test("[J17] a job whose kind is not registered any more is read, listed, watched and cancelled", async () => {
  const { url, fixture } = await openTestServer(kinds);
  const jobId = "01a20665-8cab-704e-9437-209e0533c3ad";
  const gone = { id: jobId, kind: "word-count", title: "Gone", input: {}, batchId: null };
  await fixture.engine.createJob({ ...gone, ...ownerOf(me) }, fixture.now());
  const client = openClient(url, "ws");
  expect(await client.job.get.query({ jobId })).toMatchObject({ kind: "word-count", input: {} });
  expect((await client.job.list.query({ kind: "word-count" })).items).toHaveLength(1);
  const notes = takeNotes((handlers) =>
    client.job.onUpdate.subscribe({ jobId, lastEventId: "0" }, handlers),
  );
  await client.job.cancel.mutate({ jobId });
  await eventually(() => expect(notes.state).toBe("complete"));
  expect(notes.data).toMatchObject([{ type: "created" }, { type: "aborted" }]);
});

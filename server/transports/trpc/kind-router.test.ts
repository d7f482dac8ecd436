/** The procedures of single kinds, beside those of all. */
import { TRPCClientError } from "@trpc/client";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineKind } from "#server/kinds/define.ts";
import type { DraftFrame } from "#shared/events.ts";
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

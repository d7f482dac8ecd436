/** Inputs and outputs end to end: sent by hand, stored, run, and read by stock clients. */
import { createTRPCClient, httpBatchStreamLink } from "@trpc/client";
import superjson from "superjson";
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";
import { z } from "zod";
import { defineKind, delivered } from "#server/kinds/define.ts";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import { ownerOf } from "#shared/principal.ts";
import { me } from "#test/jobs/acting.ts";
import type { AppRouter } from "./router.ts";
import { type Link, openClient, openTestServer } from "#test/transports/trpc.fixture.ts";

const LINKS: Link[] = ["ws", "sse"];

const echo = defineKind({
  name: "echo",
  description: "Gives its input back.",
  input: z.unknown(),
  output: z.unknown(),
  title: () => "Echo",
  start: { progress: 0, message: "Begun" },
  run: async ({ input }) => delivered("Done", input),
});

const PAYLOADS = [
  '{"constructor":1}',
  '{"prototype":{"constructor":null}}',
  '{"__proto__":{"polluted":true},"a":1}',
  '{"deep":[{"constructor":{"__proto__":[{"prototype":"x"}]}}]}',
  '{"toJSON":1,"then":2,"hasOwnProperty":3}',
  `${"[".repeat(100)}${"]".repeat(100)}`,
];

const JOB = { kind: "echo", input: 1 };
const BATCH = { jobs: [JOB] };

async function post(url: string, path: string, body: string) {
  const response = await fetch(`${url}/trpc/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  return { status: response.status, text: await response.text() };
}

const creation = (payload: string) => `{"json":{"kind":"echo","input":${payload}}}`;
const idIn = (text: string) => /"id":"([^"]+)"/.exec(text)?.[1] ?? "";
/** The value that the stock link returns: superjson's copy drops one key. */
const atClient = (payload: string) =>
  JSON.parse(payload, function (this: Record<string, unknown>, key, value: unknown) {
    return key === "__proto__" ? undefined : value;
  }) as unknown;

test("[J13] inputs and outputs with any keys are returned unchanged, alone and in a batch", async () => {
  const { url, fixture } = await openTestServer({ kinds: [echo] });
  fixture.startRunner();
  const ids: string[] = [];
  for (const payload of PAYLOADS) {
    const { status, text } = await post(url, "job.create", creation(payload));
    expect({ status, text }).toEqual({
      status: 200,
      text: expect.stringContaining(`"input":${payload}`) as string,
    });
    ids.push(idIn(text));
  }
  const bodies = PAYLOADS.map((payload, index) => `"${index}":${creation(payload)}`);
  const path = PAYLOADS.map(() => "job.create").join(",");
  const batch = await post(url, `${path}?batch=1`, `{${bodies.join(",")}}`);
  expect(batch.status).toBe(200);
  for (const payload of PAYLOADS) expect(batch.text).toContain(`"input":${payload}`);

  await Promise.all(ids.map((id) => fixture.reaches(id, "DELIVERED")));
  const inputs = ids.map((jobId, index) => [index, { json: { jobId } }]);
  const query = encodeURIComponent(JSON.stringify(Object.fromEntries(inputs)));
  const got = await fetch(
    `${url}/trpc/${ids.map(() => "job.get").join(",")}?batch=1&input=${query}`,
  );
  const text = await got.text();
  expect(got.status).toBe(200);
  for (const payload of PAYLOADS) {
    expect(text).toContain(`"input":${payload},"output":${payload}`);
  }
  for (const link of LINKS) {
    const client = openClient(url, link);
    const jobs = await Promise.all(ids.map((jobId) => client.job.get.query({ jobId })));
    for (const [index, { createdAt, input, output }] of jobs.entries()) {
      const given = atClient(PAYLOADS[index] ?? "");
      expect({ input, output }).toEqual({ input: given, output: given });
      expect(createdAt).toBeInstanceOf(Date);
    }
  }
  expect({}).not.toHaveProperty("polluted");
});

test("[J13] a client that streams its batches reads the same", async () => {
  const { url, fixture } = await openTestServer({ kinds: [echo] });
  const client = createTRPCClient<AppRouter>({
    links: [httpBatchStreamLink({ url: `${url}/trpc`, transformer: superjson })],
  });
  const input = { list: [{ constructor: { prototype: 1 } }] };
  const jobs = await Promise.all(
    [1, 2].map(() => fixture.jobs.create(me, { kind: "echo", input })),
  );
  const got = await Promise.all(jobs.map(({ id }) => client.job.get.query({ jobId: id })));
  expect(got).toEqual(jobs);
});

test("[J13] jobs of a batch keep their keys", async () => {
  const { url, fixture } = await openTestServer({ kinds: [echo] });
  fixture.startRunner();
  const jobs = PAYLOADS.map((payload) => `{"kind":"echo","input":${payload}}`);
  const { text } = await post(url, "batch.create", `{"json":{"jobs":[${jobs.join(",")}]}}`);
  const batchId = idIn(text);
  await eventually(async () =>
    expect(await fixture.jobs.getBatch(me, batchId)).toMatchObject({ delivered: PAYLOADS.length }),
  );
  const { items } = await fixture.jobs.list(me, { batchId, limit: 50 });
  const outputs = await Promise.all(items.map(async ({ id }) => (await fixture.job(id)).output));
  expect(outputs.map((output) => JSON.stringify(output)).toSorted()).toEqual(PAYLOADS.toSorted());
});

test("[J13] [H7] stored values of 6,000 levels, from before there was a limit, are returned", async () => {
  const { url, fixture } = await openTestServer({ kinds: [echo] });
  const deep = `${"[".repeat(6000)}${"]".repeat(6000)}`;
  const { id } = await fixture.engine.createJob(
    {
      id: newId(),
      batchId: null,
      ...ownerOf(me),
      kind: "echo",
      title: "Echo",
      input: JSON.parse(deep),
    },
    new Date(),
  );
  for (const link of LINKS) {
    const client = openClient(url, link);
    const [job, info] = await Promise.all([
      client.job.get.query({ jobId: id }),
      client.system.info.query(),
    ]);
    expect(JSON.stringify(job.input)).toBe(deep);
    expect(info).toMatchObject({ version: "1.2.3" });
  }
});

test("[J13] deeper inputs are refused with their path, and the error names any key", async () => {
  const { url, fixture } = await openTestServer({ kinds: [echo] });
  const payload = `{"constructor":{"__proto__":${"[".repeat(99)}${"]".repeat(99)}}}`;
  const { status, text } = await post(url, "job.create", creation(payload));
  expect(status).toBe(400);
  expect(text).toContain(`"input.constructor.__proto__${".0".repeat(98)}":["It contains itself`);
  expect((await fixture.jobs.list(me, { limit: 1 })).items).toEqual([]);
});

test("[J13] a kind whose schema has such fields is listed", async () => {
  const odd = { ...echo, name: "odd", input: z.object({ constructor: z.string() }) };
  const { url } = await openTestServer({ kinds: [odd] });
  for (const link of LINKS) {
    const kinds = await openClient(url, link).kind.list.query();
    expect(kinds.at(-1)?.input).toMatchObject({ properties: { constructor: { type: "string" } } });
  }
});

test.each([
  ["job.create", '{"kind":"echo","input":{"list":["\\ud83d"]}}', "input.list.0"],
  ["job.create", '{"kind":"echo","input":{"\\ude00":1}}', "input"],
  ["job.create", '{"kind":"echo","input":1,"idempotencyKey":"\\ud800"}', "idempotencyKey"],
  ["batch.create", '{"jobs":[{"kind":"echo","input":["\\ud83d"]}]}', "jobs.0.input.0"],
  ["batch.create", '{"jobs":[{"kind":"echo","input":1}],"name":"\\ud83d"}', "name"],
  [
    "batch.create",
    '{"jobs":[{"kind":"echo","input":1}],"idempotencyKey":"\\ud83d"}',
    "idempotencyKey",
  ],
  ["job.cancel", '{"jobId":"01900000-0000-7000-8000-000000000000","note":"\\ud83d"}', "note"],
])("[J14] %s of %s is refused and names the field", async (path, input, field) => {
  const { url, fixture } = await openTestServer({ kinds: [echo] });
  const { status, text } = await post(url, path, `{"json":${input}}`);
  expect(status).toBe(400);
  const { error } = JSON.parse(text) as { error: { json: { data: { zodError: unknown } } } };
  expect(error.json.data.zodError).toEqual({
    formErrors: [],
    fieldErrors: { [field]: [expect.stringContaining("has half of a surrogate pair")] },
  });
  expect((await fixture.jobs.list(me, { limit: 1 })).items).toEqual([]);
});

test.each([
  ["job.create", "idempotencyKey", 200, (text: string) => ({ ...JOB, idempotencyKey: text })],
  ["batch.create", "idempotencyKey", 200, (text: string) => ({ ...BATCH, idempotencyKey: text })],
  ["batch.create", "name", 200, (text: string) => ({ ...BATCH, name: text })],
  ["job.cancel", "note", 2000, (text: string) => ({ jobId: newId(), note: text })],
  ["job.create", "input.text", 5, (text: string) => ({ kind: "limited", input: { text } })],
])("%s counts an emoji in %s as one of %i", async (path, field, most, inputOf) => {
  const limited = { ...echo, name: "limited", input: z.object({ text: z.string().max(5) }) };
  const { url } = await openTestServer({ kinds: [echo, limited] });
  const send = (text: string) => post(url, path, JSON.stringify({ json: inputOf(text) }));
  for (const unit of ["x", "é", "🪴"]) {
    // The job does not exist, but the server checks the note's length first.
    expect((await send(unit.repeat(most))).status).toBe(field === "note" ? 404 : 200);
    const { status, text } = await send(unit.repeat(most + 1));
    expect(status).toBe(400);
    expect(text).toContain(`"${field}":[`);
    expect(text).toContain(`<=${most} characters`);
  }
});

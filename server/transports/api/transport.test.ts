import { expect, test } from "vitest";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import { openApiServer } from "#test/transports/api.fixture.ts";
import { me } from "#test/jobs/acting.ts";

const ABSENT = "0198f1a2-0000-7000-8000-000000000000";
const WORK = { kind: "work", input: { name: "Ann" } };
const bodyOf = async (answer: Response) => (await answer.json()) as Record<string, unknown>;

test("[N2] a job is created, read, listed and decided about in plain JSON", async () => {
  const { ask, post } = await openApiServer();
  const created = await post("/jobs", { ...WORK, priority: 3, unknown: "field" });
  expect(created.status).toBe(201);
  expect(created.headers.get("cache-control")).toBe("no-store");
  const job = await bodyOf(created);
  expect(job).toMatchObject({
    kind: "work",
    status: "PENDING",
    priority: 3,
    input: { name: "Ann" },
  });
  expect(job.createdAt).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  expect(created.headers.get("location")).toBe(`/api/v1/jobs/${String(job.id)}`);

  const path = `/jobs/${String(job.id)}`;
  expect(await bodyOf(await ask(path))).toEqual(job);
  const page = await bodyOf(await ask("/jobs?status=PENDING&kind=work&limit=1"));
  expect(page).toMatchObject({ items: [{ id: job.id }], nextCursor: null });
  expect(page.items).not.toMatchObject([{ input: WORK.input }]);
  const cancelled = await post(`${path}/cancel`, { note: "No more" });
  expect(await bodyOf(cancelled)).toMatchObject({ id: job.id, status: "ABORTED" });
  const events = await bodyOf(await ask(`${path}/events?limit=1`));
  expect(events).toMatchObject({ items: [{ type: "created", seq: 1 }], nextCursor: "1" });
  expect(await bodyOf(await ask(`${path}/events?cursor=1`))).toMatchObject({
    items: [{ type: "aborted", seq: 2 }],
    nextCursor: null,
  });
  expect(await (await ask(`${path}/waiting`)).json()).toBeNull();
  expect((await post(`${path}/typing`, {})).status).toBe(204);
});

test("[N2] a request without a body asks for no more than its path, and HEAD has the head alone", async () => {
  const { ask, fixture } = await openApiServer();
  const path = `/jobs/${await fixture.create()}`;
  const cancelled = await ask(`${path}/cancel`, { method: "POST" });
  expect([cancelled.status, (await bodyOf(cancelled)).status]).toEqual([200, "ABORTED"]);
  const head = await ask(path, { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
  const options = await ask(path, { method: "OPTIONS" });
  expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
});

test("[N2] batches, schedules, pauses, workers, kinds and the caller have routes", async () => {
  const { ask, post } = await openApiServer();
  const batch = await bodyOf(await post("/batches", { name: "Both", jobs: [WORK, WORK] }));
  expect(batch).toMatchObject({ name: "Both", total: 2 });
  expect(await bodyOf(await ask(`/batches/${String(batch.id)}`))).toMatchObject({ total: 2 });
  expect(await bodyOf(await ask("/batches"))).toMatchObject({ items: [{ id: batch.id }] });
  expect(await bodyOf(await post(`/batches/${String(batch.id)}/cancel`, {}))).toMatchObject({
    aborted: 2,
  });
  expect((await bodyOf(await ask("/pauses"))) as unknown).toEqual([]);
  const pause = await bodyOf(await post("/pauses", { note: "Disks" }));
  expect(pause).toMatchObject({ note: "Disks" });
  expect((await ask("/pauses", { method: "DELETE" })).status).toBe(200);
  expect(await bodyOf(await ask("/workers"))).toEqual({ items: [], nextCursor: null });
  expect(await bodyOf(await ask("/me"))).toMatchObject({ userId: "local", expiresInMs: null });
  expect(await bodyOf(await ask("/kinds"))).toMatchObject([{ name: "work" }]);
  expect(await bodyOf(await ask("/system"))).toMatchObject({ version: "1.2.3" });
});

test("[N2] a scope of a pause that has a name too many is refused, so that it does not pause everything", async () => {
  const { ask, post } = await openApiServer();
  expect((await post("/pauses", { tenannt: "acme" })).status).toBe(400);
  await post("/pauses", {});
  expect((await ask("/pauses?tenannt=acme", { method: "DELETE" })).status).toBe(400);
  expect(await (await ask("/pauses")).json()).toHaveLength(1);
});

const problems: [what: string, path: string, init: RequestInit, problem: object][] = [
  ["an unknown path", "/no/such", {}, { status: 404, code: "NOT_FOUND" }],
  ["a job that there is not", `/jobs/${ABSENT}`, {}, { status: 404, code: "NOT_FOUND" }],
  ["a method of another path", "/jobs", { method: "DELETE" }, { status: 405, type: "about:blank" }],
  ["a form that there is not", "/jobs", { headers: { accept: "text/html" } }, { status: 406 }],
  ["a stream as JSON", "/feed", { headers: { accept: "application/json" } }, { status: 406 }],
  [
    "an id in the path",
    "/jobs/7",
    {},
    { status: 400, code: "BAD_REQUEST", errors: [{ parameter: "jobId" }] },
  ],
  [
    "a parameter",
    "/jobs?limit=many",
    {},
    { status: 400, errors: [{ parameter: "limit", detail: expect.stringContaining("number") }] },
  ],
  ["a parameter twice", "/jobs?kind=a&kind=b", {}, { status: 400 }],
  ["an address that is not UTF-8", "/jobs?kind=%ff", {}, { status: 400 }],
  [
    "a body of another type",
    "/jobs",
    { method: "POST", body: "{}", headers: { "content-type": "text/plain" } },
    { status: 415, type: "about:blank" },
  ],
  ["a body that is not JSON", "/jobs", json("{"), { status: 400 }],
  ["a body that is no object", "/jobs", json("[]"), { status: 400 }],
  ["a body that is nested deeply", "/jobs", json("[".repeat(1000)), { status: 400 }],
  ["a body that is too large", "/jobs", json(`"${"x".repeat(17 << 20)}"`), { status: 413 }],
  [
    "a field",
    "/jobs",
    json('{"kind":"work","input":{},"debounce":{"key":"","windowMs":1}}'),
    { status: 400, errors: [{ pointer: "/debounce/key" }] },
  ],
  [
    "a field of the kind's input",
    "/batches",
    json('{"jobs":[{"kind":"work","input":{}},{"kind":"work","input":{"name":7}}]}'),
    { status: 400, code: "BAD_REQUEST", errors: [{ pointer: "/jobs/1/input/name" }] },
  ],
  ["an unknown kind", "/jobs", json('{"kind":"no","input":{}}'), { status: 400 }],
  [
    "two keys",
    "/jobs",
    json('{"kind":"work","input":{},"idempotencyKey":"a"}', { "idempotency-key": "b" }),
    { status: 400 },
  ],
  ["a ticket beside a call", "/me?ticket=x", {}, { status: 401, code: "UNAUTHENTICATED" }],
];

function json(body: string, headers: Record<string, string> = {}): RequestInit {
  return { method: "POST", body, headers: { "content-type": "application/json", ...headers } };
}

test("[N3] every fault of a request is answered with a problem", async () => {
  const { ask } = await openApiServer();
  for (const [what, path, init, problem] of problems) {
    const answer = await ask(path, init);
    expect(answer.headers.get("content-type"), what).toBe("application/problem+json");
    const body = await bodyOf(answer);
    expect({ what, ...body }).toMatchObject({ what, ...problem, status: answer.status });
    expect(Object.keys(body), what).toEqual(
      expect.arrayContaining(["type", "title", "status", "detail", "code"]),
    );
    expect(["about:blank", `/api/v1/docs#${String(body.code)}`], what).toContain(body.type);
  }
  const wrong = await ask("/jobs", { method: "DELETE" });
  expect(wrong.headers.get("allow")).toBe("POST, GET, HEAD, OPTIONS");
  const settled = await ask(`/jobs/${ABSENT}/cancel`, { method: "POST" });
  expect(settled.status).toBe(404);
});

test("[N3] a decision that the status does not allow is a conflict", async () => {
  const { post, fixture } = await openApiServer();
  const jobId = await fixture.create();
  const answer = await post(`/jobs/${jobId}/approve`, {});
  expect(answer.status).toBe(409);
  expect(await bodyOf(answer)).toMatchObject({
    type: "/api/v1/docs#ILLEGAL_TRANSITION",
    code: "ILLEGAL_TRANSITION",
  });
});

test("[N3] what the server refuses before the API is a problem too", async () => {
  const { ask } = await openApiServer();
  const foreign = await ask("/jobs", { headers: { origin: "https://elsewhere.example" } });
  expect(foreign.status).toBe(403);
  expect(foreign.headers.get("content-type")).toBe("application/problem+json");
  expect(await bodyOf(foreign)).toMatchObject({ status: 403, code: "FORBIDDEN" });
});

test("[N4] a request with a key that is sent again is answered with what the first one created", async () => {
  const { ask, post } = await openApiServer();
  const key = { "idempotency-key": "order-17" };
  const both = await Promise.all([post("/jobs", WORK, key), post("/jobs", WORK, key)]);
  const [first, second] = await Promise.all(both.map(bodyOf));
  expect(both.map(({ status }) => status)).toEqual([201, 201]);
  expect(second).toEqual(first);
  // The draft of the IETF has quotation marks.
  const quoted = await post("/jobs", WORK, { "idempotency-key": '"order-17"' });
  expect(await bodyOf(quoted)).toEqual(first);
  const other = await post("/jobs", { ...WORK, input: { name: "Bob" } }, key);
  expect(other.status).toBe(422);
  expect(await bodyOf(other)).toMatchObject({ code: "KEY_REUSED" });
  expect(await bodyOf(await ask("/jobs"))).toMatchObject({ items: [{ id: first?.id }] });

  const jobs = [WORK, WORK];
  const batch = await bodyOf(await post("/batches", { jobs }, key));
  expect(await bodyOf(await post("/batches", { jobs }, key))).toEqual(batch);
  const changed = { ...WORK, input: { name: "Bob" } };
  for (const others of [[WORK], [WORK, changed], [changed, WORK]]) {
    const refused = await post("/batches", { jobs: others }, key);
    expect(refused.status).toBe(422);
    expect(await bodyOf(refused)).toMatchObject({ code: "KEY_REUSED" });
  }
  // More than are read at a time, in their order.
  const many = Array.from({ length: 250 }, (_, n) => ({ ...WORK, input: { name: `${n}` } }));
  const long = await bodyOf(await post("/batches", { jobs: many }, { "idempotency-key": "long" }));
  const again = await post("/batches", { jobs: many }, { "idempotency-key": "long" });
  expect(await bodyOf(again)).toEqual(long);
  const swapped = await post(
    "/batches",
    { jobs: many.toReversed() },
    { "idempotency-key": "long" },
  );
  expect(swapped.status).toBe(422);
});

test("[N4] other clients are answered with what the key has created, whatever they ask for", async () => {
  const { fixture } = await openApiServer();
  const asked = { ...WORK, idempotencyKey: "order-17" };
  const first = await fixture.jobs.create(me, asked);
  const other = await fixture.jobs.create(me, { ...asked, input: { name: "Bob" } });
  expect(other.id).toBe(first.id);
});

test("[N3] a page of a listed origin may use the API, and read its headers", async () => {
  const origin = "https://app.example";
  const { ask } = await openApiServer({ origins: [origin] });
  const preflight = await ask("/schedules/7", {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "DELETE" },
  });
  expect(preflight.headers.get("access-control-allow-methods")).toContain("DELETE");
  const answer = await ask("/jobs", { headers: { origin } });
  expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
  expect(answer.headers.get("access-control-expose-headers")).toContain("Location");
  await eventually(() => expect(answer.bodyUsed).toBe(false));
});

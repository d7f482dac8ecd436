/** The spans of calls and jobs, with an SDK that keeps them in memory. */
import { context, propagation, trace } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { once } from "node:events";
import { blocked, delivered, Failure, Transient } from "#server/kinds/define.ts";
import { createLog } from "#server/log.ts";
import { MAX_TRACE_CHARS } from "#shared/limits.ts";
import { eventually, untilAborted } from "#test/jobs/jobs.fixture.ts";
import { startSdk } from "./sdk.ts";
import { contextOfTrace } from "./trace-context.ts";
import { useSpans } from "#test/tracing/spans.fixture.ts";
import { openTestServer } from "#test/transports/trpc.fixture.ts";

const spans = useSpans();

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";
const TRACEPARENT = `00-${TRACE}-${CALLER}-01`;

async function post(url: string, path: string, input: unknown, headers = {}) {
  const response = await fetch(`${url}/trpc/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ json: input }),
  });
  return (await response.json()) as { result: { data: { json: { id: string } } } };
}
const create = async (url: string, headers = {}) => {
  const answer = await post(url, "job.create", { kind: "work", input: {} }, headers);
  return answer.result.data.json.id;
};

const named = (name: string) => spans().filter((span) => span.name === name);
const one = (name: string) => {
  const found = named(name);
  expect(found, name).toHaveLength(1);
  return found[0] as (typeof found)[0];
};

test("[V1] [V2] a job is one trace: the caller, the call, the creation, each attempt with its steps, and its end", async () => {
  const { url, fixture } = await openTestServer();
  let seen: (string | undefined)[] = [];
  fixture.run = async ({ attempt, traceparent, progress, draft }) => {
    const headers: Record<string, string> = {};
    propagation.inject(context.active(), headers);
    seen = [traceparent, headers.traceparent];
    await draft("Once ");
    await draft("upon");
    await progress(50, "a secret message");
    if (attempt === 1) throw new Transient("BUSY", "a secret reason");
    return blocked("Look at it", { secret: true });
  };
  const jobId = await create(url, { traceparent: TRACEPARENT, tracestate: "vendor=a b" });
  fixture.startRunner();
  await eventually(() => expect(named("process work")).toHaveLength(1));
  fixture.advance(60_000);
  await fixture.reaches(jobId, "BLOCKED");
  await eventually(() => expect(named("process work")).toHaveLength(2));

  const [call, creation] = [one("job.create"), one("create work")];
  expect(call).toMatchObject({ kind: "SERVER", parent: CALLER, trace: TRACE, isError: false });
  expect(call.attributes).toEqual({
    "rpc.system.name": "trpc",
    "rpc.method": "job.create",
    "rpc.response.status_code": "OK",
  });
  expect(creation).toMatchObject({ kind: "PRODUCER", parent: call.id, trace: TRACE });
  const messaging = { "messaging.system": "jobwire", "messaging.system.name": "jobwire" };
  const message = { "messaging.destination.name": "work", "messaging.message.id": jobId };
  expect(creation.attributes).toEqual({
    ...messaging,
    ...message,
    "messaging.operation.name": "create",
    "messaging.operation.type": "create",
  });

  const [first, second] = named("process work");
  for (const attempt of [first, second]) {
    expect(attempt).toMatchObject({ kind: "CONSUMER", parent: creation.id, trace: TRACE });
    expect(attempt?.events.toSorted()).toEqual(["draft", "progress"]);
    expect(attempt?.attributes).toMatchObject({ ...messaging, ...message });
  }
  expect(first?.attributes).toMatchObject({
    "jobwire.job.attempt": 1,
    "jobwire.job.queue_ms": 0,
    "jobwire.job.outcome": "retried",
    "error.type": "BUSY",
  });
  expect(first?.isError).toBe(true);
  expect(second?.attributes).toMatchObject({
    "jobwire.job.attempt": 2,
    "jobwire.job.outcome": "blocked",
  });
  expect(second?.isError).toBe(false);
  expect(seen).toEqual(Array.from({ length: 2 }, () => `00-${TRACE}-${second?.id}-01`));

  expect(one("release work")).toMatchObject({ kind: "CLIENT", parent: first?.id });
  expect(one("block work")).toMatchObject({
    parent: second?.id,
    attributes: { ...message, "messaging.operation.type": "settle" },
  });
  expect(JSON.stringify(spans())).not.toContain("secret");
});

test("[V1] a failed attempt and a lost one say so", async () => {
  const { url, fixture } = await openTestServer();
  fixture.run = async ({ signal, input }) => {
    if (input.name === "lost") return untilAborted(signal);
    throw new Failure("NO_PAGE", "There is no page.");
  };
  fixture.startRunner();
  await fixture.reaches(await create(url), "ABORTED");
  await eventually(() =>
    expect(named("process work")).toMatchObject([
      { isError: true, attributes: { "jobwire.job.outcome": "aborted", "error.type": "NO_PAGE" } },
    ]),
  );
  const lost = await fixture.create("lost");
  await fixture.reaches(lost, "PROCESSING");
  await post(url, "job.cancel", { jobId: lost });
  await eventually(() =>
    expect(named("process work")[1]).toMatchObject({
      isError: false,
      attributes: { "jobwire.job.outcome": "lost" },
    }),
  );
});

test("[V1] the jobs of a batch are in the trace of its call, and a program's jobs in that of its active span", async () => {
  const { url, fixture } = await openTestServer();
  const work = { kind: "work", input: {} };
  const answer = await post(url, "batch.create", { jobs: [work, work] });
  const creation = one("create work");
  expect(creation.attributes).toMatchObject({
    "messaging.batch.message_count": 2,
    "jobwire.batch.id": answer.result.data.json.id,
  });
  fixture.startRunner();
  await eventually(() => expect(named("process work")).toHaveLength(2));
  for (const attempt of named("process work")) {
    expect(attempt).toMatchObject({ parent: creation.id, trace: creation.trace });
    expect(attempt.attributes).toHaveProperty(
      ["jobwire.batch.id"],
      creation.attributes["jobwire.batch.id"],
    );
  }
  await trace.getTracer("app").startActiveSpan("order", async (span) => {
    await fixture.create("own");
    span.end();
  });
  expect(named("create work")[1]).toMatchObject({ parent: one("order").id });
});

test("[V2] a WebSocket names its trace among the parameters of its connection", async () => {
  const { url } = await openTestServer();
  const socket = new WebSocket(`${url.replace("http", "ws")}/trpc?connectionParams=1`);
  await once(socket, "open");
  const data = { traceparent: TRACEPARENT };
  socket.send(JSON.stringify({ method: "connectionParams", data }));
  socket.send(JSON.stringify({ id: 1, method: "query", params: { path: "system.info" } }));
  await eventually(() => expect(one("system.info")).toMatchObject({ parent: CALLER }));
  socket.terminate();
});

test("[V2] [H11] a text of any length and any number of parts is no trace", () => {
  for (const text of [" ".repeat(5_000_000), `${TRACEPARENT} ${"a=b ".repeat(200)}`, "", " "]) {
    expect(trace.getSpanContext(contextOfTrace(text))).toBeUndefined();
  }
  expect(trace.getSpanContext(contextOfTrace(`${TRACEPARENT} a=b c`))?.traceId).toBe(TRACE);
});

test.each([
  ["is none", { traceparent: "a trace" }],
  ["has no ids", { traceparent: `00-${"0".repeat(32)}-${"0".repeat(16)}-01` }],
  ["is long", { traceparent: `${TRACEPARENT}${"x".repeat(8000)}` }],
  ["comes without a parent", { tracestate: "vendor=a" }],
])("[V2] a trace that %s is ignored, and the call begins its own", async (_what, headers) => {
  const { url } = await openTestServer();
  await create(url, headers);
  const call = one("job.create");
  expect(call.parent).toBeUndefined();
  expect(call.trace).not.toBe(TRACE);
});

test("[V2] [H11] what is stored of a trace is bounded, and a trace that is not sampled stays so", async () => {
  const { url, fixture } = await openTestServer();
  const storedOf = async () => {
    const [claim] = await fixture.engine.claim({
      worker: "w",
      max: 1,
      leaseMs: 60_000,
      now: fixture.now(),
    });
    return claim?.trace ?? "";
  };
  const tracestate = Array.from({ length: 32 }, (_, n) => `vendor${n}=${"x".repeat(8)}`).join(",");
  expect(tracestate.length).toBeGreaterThan(500);
  await create(url, { traceparent: TRACEPARENT, tracestate });
  const stored = await storedOf();
  expect(stored).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01`));
  expect(stored.length).toBeLessThanOrEqual(MAX_TRACE_CHARS);
  await create(url, { traceparent: TRACEPARENT, tracestate: "vendor=a b" });
  expect(await storedOf()).toMatch(/-01 vendor=a b$/);
  const before = spans().length;
  await create(url, { traceparent: TRACEPARENT.replace(/01$/, "00") });
  expect(await storedOf()).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  expect(spans()).toHaveLength(before);
});

test("[V1] a call that is refused has its code, and only a fault of the server is an error", async () => {
  const { url, fixture } = await openTestServer();
  await post(url, "job.cancel", { jobId: "none" });
  expect(one("job.cancel")).toMatchObject({
    isError: false,
    attributes: { "rpc.response.status_code": "BAD_REQUEST" },
  });
  await fixture.engine.close();
  await post(url, "job.create", { kind: "work", input: {} });
  for (const span of [one("job.create"), one("create work")]) {
    expect(span).toMatchObject({ isError: true, attributes: { "error.type": "UNAVAILABLE" } });
  }
});

test("[V3] lines of the log that are written within a span have its ids, and others have none", () => {
  const lines: Record<string, unknown>[] = [];
  const log = createLog("info", { write: (line: string) => void lines.push(JSON.parse(line)) });
  log.info("outside");
  trace.getTracer("app").startActiveSpan("order", (span) => {
    log.child({ jobId: "j" }).info("inside");
    span.end();
  });
  const { id, trace: traceId } = one("order");
  expect(lines[0]).not.toHaveProperty("trace_id");
  expect(lines[1]).toMatchObject({ jobId: "j", trace_id: traceId, span_id: id });
});

test("[V4] where a program has registered an SDK, the application starts none", () => {
  const options = { propagators: [], defaults: {}, log: () => undefined };
  expect(startSdk(options)).toBeUndefined();
  trace.getTracer("app").startSpan("order").end();
  expect(one("order").parent).toBeUndefined();
});

test("delivered is no error", async () => {
  const { url, fixture } = await openTestServer();
  fixture.run = async () => delivered("Done", {});
  fixture.startRunner();
  await fixture.reaches(await create(url), "DELIVERED");
  await eventually(() =>
    expect(one("process work")).toMatchObject({
      isError: false,
      attributes: { "jobwire.job.outcome": "delivered" },
    }),
  );
});

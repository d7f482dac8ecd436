/** The limits of one tRPC client, over every link. */
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import { MAX_SUBSCRIPTIONS } from "#server/transports/limits/subscription-limit.ts";
import { openClient, openTestServer } from "#test/transports/trpc.fixture.ts";

interface Answer {
  id: number | null;
  result?: { type: string };
  error?: { json: { message: string; data: { code: string } } };
}

async function openSocket(url: string, query = "") {
  // Compressed, some of these messages would be refused for how much they grow.
  const socket = new WebSocket(`${url.replace("http", "ws")}/trpc${query}`, {
    perMessageDeflate: false,
  });
  const answers: Answer[] = [];
  socket.on("message", (data: Buffer) => answers.push(JSON.parse(data.toString()) as Answer));
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  return { socket, answers, send: (value: unknown) => socket.send(JSON.stringify(value)) };
}

async function call(url: string, path: string, body?: string) {
  const init = body === undefined ? {} : { method: "POST", body };
  const res = await fetch(`${url}/trpc/${path}`, {
    ...init,
    headers: { "content-type": "application/json" },
  });
  return { status: res.status, text: await res.text() };
}

const REVIVER = {
  json: { length: 2_000_000_000 },
  meta: { values: [["typed-array", "Uint8Array"]] },
};
const NAMED = String.raw`annotated as \"typed-array\"`;

test("[H1] an annotation that would build an object is refused on every path of input", async () => {
  const { url } = await openTestServer();
  const input = encodeURIComponent(JSON.stringify(REVIVER));
  const body = JSON.stringify(REVIVER);
  const answers = await Promise.all([
    call(url, `job.list?input=${input}`),
    call(url, "job.create", body),
    call(url, "job.create,job.create?batch=1", `{"0":${body},"1":${body}}`),
    call(url, `job.onUpdate?input=${input}`),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 200]);
  for (const { text } of answers) {
    expect(text).toContain(NAMED);
    expect(text).toContain("BAD_REQUEST");
  }
  const { answers: told, send } = await openSocket(url);
  const methods = ["query", "mutation", "subscription"];
  const paths = ["job.list", "job.create", "job.onUpdate"];
  for (const [id, method] of methods.entries()) {
    send({ id, method, params: { path: paths[id], input: REVIVER } });
  }
  await eventually(() => expect(told).toHaveLength(3));
  for (const { error } of told) {
    expect(error?.json.data.code).toBe("BAD_REQUEST");
    expect(error?.json.message).toContain('annotated as "typed-array"');
  }
});

test("[H1] connection parameters are strings, whatever their annotations", async () => {
  const { url } = await openTestServer();
  const { answers, send } = await openSocket(url, "?connectionParams=1");
  send({ method: "connectionParams", data: REVIVER });
  await eventually(() => expect(answers[0]?.error).toBeDefined());
});

test("[H1] a stock client may use one input object for 10,000 jobs", async () => {
  const { url, fixture } = await openTestServer();
  const job = { kind: "work", input: { name: "shared", when: new Date(0), none: undefined } };
  for (const link of ["ws", "sse"] as const) {
    const { id, total } = await openClient(url, link).batch.create.mutate({
      jobs: Array.from({ length: 10_000 }, () => job),
    });
    expect(total).toBe(10_000);
    const page = await fixture.engine.listJobs({
      tenant: "local",
      owner: "local",
      batchId: id,
      limit: 1,
    });
    const stored = await fixture.engine.getJob(page.items[0]?.id ?? "");
    expect(stored?.input).toEqual({ name: "shared" });
  }
});

const paths = (count: number) => Array(count).fill("job.list").join(",");

test("[H5] a batch over HTTP holds at most 500 calls", async () => {
  const { url } = await openTestServer();
  const full = await call(url, `${paths(500)}?batch=1`);
  expect(full.status).toBe(200);
  expect(JSON.parse(full.text)).toHaveLength(500);
  for (const path of [paths(501), paths(1750), ",".repeat(15_000)]) {
    const { status, text } = await call(url, `${path}?batch=1`);
    expect(status).toBe(400);
    expect(text).toContain("A batch holds at most 500 calls");
    expect(text.length).toBeLessThan(1000);
  }
});

test("[H5] a message of a WebSocket holds at most 500 calls; each of the others is refused by its id", async () => {
  const { url } = await openTestServer();
  const { answers, send } = await openSocket(url);
  send(
    Array.from({ length: 600 }, (_, id) => ({
      id,
      method: "query",
      params: { path: "kind.list" },
    })),
  );
  await eventually(() => expect(answers).toHaveLength(600));
  const refused = answers.filter(({ error }) => error !== undefined);
  expect(refused.map(({ id }) => id).toSorted((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 100 }, (_, n) => 500 + n),
  );
  expect(refused[0]?.error?.json.message).toContain("at most 500 calls");
});

test("[H5] a message with more requests than any client sends is refused as a whole, and its connection is closed", async () => {
  const { url, fixture } = await openTestServer();
  const { socket, answers, send } = await openSocket(url);
  const closed = once(socket, "close") as Promise<[number, Buffer]>;
  send(
    Array.from({ length: 10_000 }, (_, id) => ({
      id,
      method: "mutation",
      params: { path: "job.create", input: { json: { kind: "work", input: {} } } },
    })),
  );
  const [code, reason] = await closed;
  expect([code, reason.toString()]).toEqual([1009, expect.stringContaining("at most 2500")]);
  expect(answers).toMatchObject([{ id: null, error: { json: { data: { code: "BAD_REQUEST" } } } }]);
  const { items } = await fixture.engine.listJobs({ tenant: "local", owner: "local", limit: 1 });
  expect(items).toEqual([]);
});

const subscribe = (id: number, path: string) => ({ id, method: "subscription", params: { path } });

test("[H5] a connection has at most 1,000 subscriptions of all kinds, and may start another after one ends", async () => {
  const { url } = await openTestServer();
  const { answers, send } = await openSocket(url);
  const paths = ["system.onState", "feed.onUpdate"];
  // In one message, as a stock client sends them after a reconnect.
  send(Array.from({ length: MAX_SUBSCRIPTIONS }, (_, id) => subscribe(id, paths[id % 2] ?? "")));
  send(subscribe(MAX_SUBSCRIPTIONS, "system.onState"));
  const started = () => answers.filter(({ result }) => result?.type === "started");
  await eventually(() => {
    expect(started()).toHaveLength(MAX_SUBSCRIPTIONS);
    expect(answers.filter(({ error }) => error)).toMatchObject([
      {
        id: MAX_SUBSCRIPTIONS,
        error: {
          json: {
            message: expect.stringContaining("1000 subscriptions") as string,
            data: { code: "BAD_REQUEST" },
          },
        },
      },
    ]);
  });
  send({ id: 0, method: "subscription.stop" });
  await eventually(() =>
    expect(answers.some(({ id, result }) => id === 0 && result?.type === "stopped")).toBe(true),
  );
  send(subscribe(5000, "system.onState"));
  await eventually(() => expect(started()).toHaveLength(MAX_SUBSCRIPTIONS + 1));
});

test.each([
  ["nested deeper than 200 levels", `${"[".repeat(1e6)}${"]".repeat(1e6)}`],
  ["holds more than 250000 values", `[${"0,".repeat(1e6)}0]`],
])("[H4] an input that is %s is refused before it is parsed", async (reason, text) => {
  const { url } = await openTestServer();
  const { status, text: told } = await call(url, "job.create", `{"json":${text}}`);
  expect([status, told]).toEqual([400, expect.stringContaining(reason)]);
  const { socket, answers, send } = await openSocket(url);
  socket.send(
    `{"id":1,"method":"mutation","params":{"path":"job.create","input":{"json":${text}}}}`,
  );
  await eventually(() => expect(answers[0]?.error?.json.message).toContain(reason));
  expect(answers[0]?.id).toBe(1);
  // The connection continues to serve.
  send({ id: 2, method: "query", params: { path: "kind.list" } });
  await eventually(() => expect(answers[1]?.result).toBeDefined());
});

test("[H4] an error names a hundred issues of an input and counts the others", async () => {
  const { url } = await openTestServer();
  const { status, text } = await call(
    url,
    "batch.create",
    `{"json":{"jobs":[${"0,".repeat(9999)}0]}}`,
  );
  expect(status).toBe(400);
  expect(text).toContain("jobs.99: ");
  expect(text).toContain("and 9900 more");
  expect(text.length).toBeLessThan(30_000);
});

test.each([
  ["PUT", "application/json", 405],
  ["DELETE", "application/json", 405],
  ["POST", "multipart/form-data; boundary=x", 415],
  ["POST", "application/octet-stream", 415],
  ["POST", "application/jsonp", 415],
])("[H4] a body of %s as %s is not read", async (method, type, expected) => {
  const { url } = await openTestServer();
  const init: RequestInit = { method, headers: { "content-type": type }, body: "--x\r\n" };
  const { status } = await fetch(`${url}/trpc/job.create`, init);
  expect(status).toBe(expected);
});

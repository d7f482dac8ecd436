/** The limits of addresses, users and tenants on every transport. Requests tell their address as those of a proxy do. */
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { EventSource } from "eventsource";
import { io, type Socket } from "socket.io-client";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import type { App } from "#server/app.ts";
import { isMultiProcess, newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { freePort } from "#test/free-port.ts";
import { testKind } from "#test/transports/limits.fixture.ts";
import { post, startAppWithTokens, tokenFor } from "#test/transports/signed-in.fixture.ts";

const HOME = "203.0.113.7";
const ELSEWHERE = "203.0.113.8";

let data: TestData | undefined;
afterEach(async () => {
  await data?.remove();
  data = undefined;
});

async function start(env: Record<string, string>): Promise<App> {
  data ??= await newTestData();
  const app = await startAppWithTokens(data, {
    env: { TRUST_PROXY: "loopback", CONCURRENCY: "1", ...env },
    kinds: [testKind],
  });
  onTestFinished(() => void app.close());
  return app;
}

type Headers = Record<string, string>;
const bad = (n: number) => `bad.${n}.token`;
/** One that the server has never seen. */
const freshToken = () => tokenFor("ann", { jti: crypto.randomUUID() });
const as = (token: string, address = HOME): Headers => ({
  authorization: `Bearer ${token}`,
  "x-forwarded-for": address,
});

interface Answer {
  status: number;
  code: string;
  retryAfterMs: number | undefined;
  retryAfter: string | null;
}

interface Shape {
  error?: { json: { data: { code: string; appCode: string; retryAfterMs?: number } } };
}

async function get(app: App, path: string, headers: Headers): Promise<Answer> {
  const response = await fetch(app.url + path, { headers });
  const { error } = (await response.json()) as Shape;
  return {
    status: response.status,
    code: error?.json.data.appCode ?? "ok",
    retryAfterMs: error?.json.data.retryAfterMs,
    retryAfter: response.headers.get("retry-after"),
  };
}
const info = (app: App, headers: Headers) => get(app, "/trpc/system.info", headers);

async function mutate(app: App, path: string, headers: Headers, input: unknown): Promise<Answer> {
  const response = await fetch(`${app.url}/trpc/${path}`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ json: input }),
  });
  const { error } = (await response.json()) as Shape;
  return {
    status: response.status,
    code: error?.json.data.appCode ?? "ok",
    retryAfterMs: error?.json.data.retryAfterMs,
    retryAfter: response.headers.get("retry-after"),
  };
}

function expectLimited({ status, code, retryAfterMs, retryAfter }: Answer, most: number): void {
  expect({ status, code }).toEqual({ status: 429, code: "RATE_LIMITED" });
  expect(retryAfterMs).toBeGreaterThan(0);
  expect(retryAfterMs).toBeLessThanOrEqual(most);
  expect(retryAfter).toBe(String(Math.max(1, Math.ceil((retryAfterMs ?? 0) / 1000))));
}

/** Resolves to the open socket, or to the answer that refused the upgrade. */
async function upgrade(app: App, path: string, headers: Headers): Promise<WebSocket | Answer> {
  const socket = new WebSocket(app.url.replace("http", "ws") + path, { headers });
  onTestFinished(() => socket.terminate());
  socket.on("error", () => undefined);
  return new Promise((resolve) => {
    socket.once("open", () => resolve(socket));
    socket.once("unexpected-response", (_req, res) => {
      let text = "";
      res.on("data", (chunk: Buffer) => (text += String(chunk)));
      res.once("end", () => {
        const body = JSON.parse(text) as Shape & { code?: string; retry_after_ms?: number };
        resolve({
          status: res.statusCode ?? 0,
          code: body.error?.json.data.appCode ?? body.code ?? "",
          retryAfterMs: body.error?.json.data.retryAfterMs ?? body.retry_after_ms,
          retryAfter: res.headers["retry-after"] ?? null,
        });
      });
    });
  });
}

/** Sends a message and resolves to the answer to it. */
async function say(socket: WebSocket, id: number, method: string, path: string, input?: object) {
  const answered = new Promise<Shape & { result?: unknown }>((resolve) => {
    socket.on("message", (text: Buffer) => {
      const message = JSON.parse(text.toString()) as Shape & { id: number | null };
      if (message.id === id || (message.id === null && message.error !== undefined)) {
        resolve(message);
      }
    });
  });
  socket.send(JSON.stringify({ id, method, params: { path, input: input && { json: input } } }));
  return (await answered).error?.json.data ?? { appCode: "ok" };
}

const LIMITED = {
  code: "TOO_MANY_REQUESTS",
  appCode: "RATE_LIMITED",
  retryAfterMs: expect.any(Number) as number,
};

function stream(app: App, headers: Headers): EventSource {
  const source = new EventSource(`${app.url}/trpc/system.onState`, {
    fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...headers } }),
  });
  onTestFinished(() => source.close());
  return source;
}

const isOpen = (source: EventSource) =>
  new Promise<boolean>((resolve) => {
    source.addEventListener("message", () => resolve(true));
    source.addEventListener("serialized-error", ({ data: text }: MessageEvent<string>) => {
      expect(text).toContain("RATE_LIMITED");
      expect(text).toContain("retryAfterMs");
      resolve(false);
    });
  });

function legacy(app: App, transport: string, headers: Headers, reconnection = false): Socket {
  const socket = io(app.url, {
    transports: [transport],
    extraHeaders: headers,
    forceNew: true,
    reconnection,
    reconnectionDelay: 50,
  });
  onTestFinished(() => void socket.disconnect());
  return socket;
}

/** True once it has joined, false if the server broke it off. */
const joins = (socket: Socket) =>
  new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("connect_error", () => resolve(false));
    socket.io.once("close", () => resolve(false));
  });

describe("[R3] calls of a user", () => {
  const env = { LIMIT_USER_CALLS: "1" };

  test("the last allowed one passes over HTTP, the next is refused on every transport, and passes later", async () => {
    // So many refusals come at once that all of these come before the ten seconds are over.
    const app = await start({ LIMIT_USER_CALLS: "10" });
    const ann = as(await tokenFor("ann", { jti: crypto.randomUUID() }));
    const socket = (await upgrade(app, "/trpc", ann)) as WebSocket;
    const clients = ["websocket", "polling"].map((transport) => legacy(app, transport, ann));
    expect(await Promise.all(clients.map(joins))).toEqual([true, true]);

    // A batch counts each of its calls.
    const calls = Array<string>(93).fill("system.info").join(",");
    const batch = await fetch(`${app.url}/trpc/${calls}?batch=1&input={}`, { headers: ann });
    expect(batch.status).toBe(200);
    for (let n = 93; n < 100; n += 1) expect((await info(app, ann)).code).toBe("ok");
    expectLimited(await info(app, ann), 10_000);
    expect(await say(socket, 1, "query", "system.info")).toMatchObject(LIMITED);
    expect(await say(socket, 2, "mutation", "job.cancel", {})).toMatchObject(LIMITED);
    const refused = new Promise((resolve) => {
      socket.on("message", (text: Buffer) => {
        const { id, error } = JSON.parse(text.toString()) as Shape & { id: number };
        if (id === 3 && error !== undefined) resolve(error.json.data);
      });
    });
    socket.send('{"id":3,"method":"subscription","params":{"path":"system.onState"}}');
    expect(await refused).toMatchObject(LIMITED);
    expect(await isOpen(stream(app, ann))).toBe(false);
    for (const client of clients) {
      const error = new Promise((resolve) => client.once("subscription:error", resolve));
      const answer: unknown = await client.emitWithAck("subscribe:job", { job_id: "x" });
      const limited = { code: "RATE_LIMITED", retry_after_ms: expect.any(Number) as number };
      expect(answer).toMatchObject({ ok: false, error: limited });
      expect(await error).toMatchObject({ ...limited, job_id: "x" });
    }
    const me = await fetch(`${app.url}/auth/me`, { headers: ann });
    expect(await me.json()).toMatchObject({
      error: { code: "RATE_LIMITED", retryAfterMs: expect.any(Number) as number },
    });
    // A large body is not read to refuse it.
    const large = await mutate(app, "batch.create", ann, { jobs: ["x".repeat(100_000)] });
    expectLimited(large, 10_000);

    const others = [await tokenFor("bob"), await tokenFor("ann", { tenant: "other" })];
    for (const token of others) expect((await info(app, as(token))).code).toBe("ok");
    await vi.waitFor(async () => expect((await info(app, ann)).code).toBe("ok"));
  });

  test.runIf(isMultiProcess)("[R4] two gateways count together", async () => {
    const apps = [await start(env), await start(env)];
    const ann = as(await tokenFor("ann"));
    const codes: string[] = [];
    // Until then, each counts for itself.
    await vi.waitFor(async () => {
      const bob = as(await tokenFor(crypto.randomUUID()));
      const passed: boolean[] = [];
      for (const app of [...apps, ...apps, ...apps, ...apps, ...apps, ...apps]) {
        passed.push((await info(app, bob)).code === "ok");
      }
      expect(passed.filter(Boolean)).toHaveLength(10);
    });
    for (let n = 0; n < 8; n += 1) {
      for (const app of apps) codes.push((await info(app, ann)).code);
    }
    expect(codes.filter((code) => code === "ok")).toHaveLength(10);
  });
});

describe("[R3] connections and subscriptions of a user", () => {
  test("a connection too many is refused on every transport, and its client comes back when another has closed", async () => {
    const app = await start({ LIMIT_USER_CONNECTIONS: "2" });
    const ann = as(await tokenFor("ann"));
    const first = (await upgrade(app, "/trpc", ann)) as WebSocket;
    expect(await say(first, 1, "query", "system.info")).toEqual({ appCode: "ok" });
    const events = stream(app, ann);
    expect(await isOpen(events)).toBe(true);

    const third = (await upgrade(app, "/trpc", ann)) as WebSocket;
    expect(await say(third, 1, "query", "system.info")).toMatchObject(LIMITED);
    await once(third, "close");
    expect(await isOpen(stream(app, ann))).toBe(false);
    for (const transport of ["websocket", "polling"]) {
      expect(await joins(legacy(app, transport, ann))).toBe(false);
    }
    // Calls over HTTP need no lasting connection, and others have their own.
    expect((await info(app, ann)).code).toBe("ok");
    const bob = (await upgrade(app, "/trpc", as(await tokenFor("bob")))) as WebSocket;
    expect(await say(bob, 1, "query", "system.info")).toEqual({ appCode: "ok" });

    const waiting = legacy(app, "websocket", ann, true);
    const joined = new Promise<void>((resolve) => waiting.once("connect", resolve));
    events.close();
    await joined;
    first.close();
    await vi.waitFor(async () => expect(await isOpen(stream(app, ann))).toBe(true));
  });

  test("a subscription too many is refused on every transport, until another has ended", async () => {
    const app = await start({ LIMIT_USER_SUBSCRIPTIONS: "2" });
    const ann = as(await tokenFor("ann"));
    const created = await fetch(`${app.url}/trpc/job.create`, {
      method: "POST",
      headers: { ...ann, "content-type": "application/json" },
      body: JSON.stringify({ json: { kind: testKind.name, input: {} } }),
    });
    const { result } = (await created.json()) as { result: { data: { json: { id: string } } } };
    const jobId = result.data.json.id;
    const socket = (await upgrade(app, "/trpc", ann)) as WebSocket;
    const watch = (id: number) => say(socket, id, "subscription", "job.onUpdate", { jobId });
    expect(await watch(1)).toEqual({ appCode: "ok" });
    expect(await watch(2)).toEqual({ appCode: "ok" });
    expect(await watch(3)).toMatchObject(LIMITED);
    expect(await isOpen(stream(app, ann))).toBe(false);
    for (const transport of ["websocket", "polling"]) {
      const client = legacy(app, transport, ann);
      expect(await joins(client)).toBe(true);
      const subscribe = () => client.emitWithAck("subscribe:job", { job_id: jobId });
      expect(await subscribe()).toMatchObject({ ok: false, error: { code: "RATE_LIMITED" } });
      socket.send(JSON.stringify({ id: 2, method: "subscription.stop" }));
      await vi.waitFor(async () => expect(await subscribe()).toEqual({ ok: true }));
      await client.emitWithAck("unsubscribe:job", { job_id: jobId });
      await vi.waitFor(async () => expect(await watch(2)).toEqual({ appCode: "ok" }));
    }
    socket.terminate();
    await vi.waitFor(async () => expect(await isOpen(stream(app, ann))).toBe(true));
  });
});

/** The requests of a user that has a connection and a subscription, and may have no second one. */
const BEYOND: [what: string, limit: string, ask: (app: App, by: Headers) => Promise<unknown>][] = [
  [
    "WebSockets",
    "LIMIT_USER_CONNECTIONS",
    async (app, by) => {
      const socket = (await upgrade(app, "/trpc", by)) as WebSocket;
      expect(await say(socket, 1, "query", "system.info")).toMatchObject(LIMITED);
    },
  ],
  [
    "event streams",
    "LIMIT_USER_CONNECTIONS",
    async (app, by) => expect(await isOpen(stream(app, by))).toBe(false),
  ],
  [
    "Socket.IO connections",
    "LIMIT_USER_CONNECTIONS",
    async (app, by) => expect(await joins(legacy(app, "websocket", by))).toBe(false),
  ],
  [
    "Socket.IO sessions",
    "LIMIT_USER_CONNECTIONS",
    async (app, by) => expect(await joins(legacy(app, "polling", by))).toBe(false),
  ],
  [
    "subscriptions of a WebSocket",
    "LIMIT_USER_SUBSCRIPTIONS",
    async (app, by) => {
      const socket = (await upgrade(app, "/trpc", by)) as WebSocket;
      for (let id = 1; id <= 5; id += 1) {
        expect(await say(socket, id, "subscription", "feed.onUpdate")).toMatchObject(LIMITED);
      }
      socket.terminate();
    },
  ],
  [
    "subscriptions of event streams",
    "LIMIT_USER_SUBSCRIPTIONS",
    async (app, by) => expect(await isOpen(stream(app, by))).toBe(false),
  ],
];

test.each(BEYOND)(
  "[R8] a user that keeps asking for %s beyond its limit is refused as one that keeps calling",
  async (_what, limit, ask) => {
    const port = await freePort();
    const app = await start({ [limit]: "1", LIMIT_USER_CALLS: "1", METRICS_PORT: String(port) });
    const by = as(await tokenFor("ann"));
    const socket = (await upgrade(app, "/trpc", by)) as WebSocket;
    expect(await say(socket, 1, "subscription", "feed.onUpdate")).toEqual({ appCode: "ok" });
    await vi.waitFor(async () => {
      await ask(app, by);
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      expect(metrics).toMatch(/jobwire_rate_limited_total\{limit="user_calls"\} [1-9]/);
    });
  },
);

test("a proxy that TRUST_PROXY does not list is told once in the log, also where it has many connections", async () => {
  data ??= await newTestData();
  const logged: string[] = [];
  const app = await startAppWithTokens(data, { env: { TRUST_PROXY: "10.0.0.5" }, logged });
  onTestFinished(() => void app.close());
  const token = await tokenFor("ann");
  const headers = { ...as(token), connection: "close" };
  await Promise.all([1, 2, 3].map(() => get(app, "/trpc/system.info", headers)));
  await upgrade(app, "/trpc", as(token, ELSEWHERE));
  const told = logged.filter((line) => line.includes("TRUST_PROXY"));
  expect(told).toHaveLength(1);
  expect(told[0]).toContain("127.0.0.1 sends X-Forwarded-For");
});

describe("[R2] connections of an address", () => {
  test("behind a trusted proxy WebSockets, streams and polling sessions count for the address that it tells", async () => {
    const app = await start({ LIMIT_ADDRESS_CONNECTIONS: "3" });
    const token = await tokenFor("ann");
    const ann = as(token);
    const first = (await upgrade(app, "/trpc", ann)) as WebSocket;
    expect(await isOpen(stream(app, ann))).toBe(true);
    // A polling session counts as one, whatever its requests are.
    const handshake = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`, {
      headers: ann,
    });
    expect(handshake.status).toBe(200);
    await handshake.text();

    expectLimited(await info(app, ann), 5000);
    expectLimited((await upgrade(app, "/trpc", ann)) as Answer, 5000);
    expectLimited(
      (await upgrade(app, "/socket.io/?EIO=4&transport=websocket", ann)) as Answer,
      5000,
    );
    const polling = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`, { headers: ann });
    expect(polling.status).toBe(429);
    expect(await polling.json()).toMatchObject({ code: "RATE_LIMITED", retry_after_ms: 5000 });
    expect((await fetch(`${app.url}/healthz`, { headers: ann })).status).toBe(200);
    expect((await info(app, as(token, ELSEWHERE))).code).toBe("ok");
    // A stranger's own header is not believed: the proxy adds the peer's address at the end.
    expectLimited(await info(app, as(token, `${ELSEWHERE}, ${HOME}`)), 5000);
    first.terminate();
    await vi.waitFor(async () => expect((await info(app, ann)).code).toBe("ok"));
  });

  test("without a proxy TCP connections count, whatever header they send, and each further one gets one answer", async () => {
    const app = await start({ LIMIT_ADDRESS_CONNECTIONS: "2", TRUST_PROXY: "" });
    const ann = as(await tokenFor("ann"));
    const port = Number(new URL(app.url).port);
    const idle = Array.from({ length: 2 }, () => connectTcp(port, "127.0.0.1"));
    await Promise.all(idle.map((socket) => once(socket, "connect")));
    const answer = async () => (await fetch(app.url + "/auth/me", { headers: ann })).status;
    await vi.waitFor(async () => expect(await answer()).toBe(429));
    expectLimited(
      (await upgrade(app, "/trpc", { ...ann, "x-forwarded-for": ELSEWHERE })) as Answer,
      5000,
    );
    idle[0]?.destroy();
    await vi.waitFor(async () => expect(await answer()).toBe(200));

    // Connections that send nothing take no more than that.
    const more = Array.from({ length: 30 }, () => connectTcp(port, "127.0.0.1"));
    const closed = await Promise.all(more.map((socket) => once(socket, "close").then(() => true)));
    expect(closed).toHaveLength(30);
    idle[1]?.destroy();
  });

  test("connections that have not signed in are limited, and leave room when they do", async () => {
    const app = await start({ LIMIT_ADDRESS_UNAUTHENTICATED: "2" });
    const token = await tokenFor("ann");
    const stranger = { "x-forwarded-for": HOME };
    const first = (await upgrade(app, "/trpc?connectionParams=1", stranger)) as WebSocket;
    const engine = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`, {
      headers: stranger,
    });
    expect(engine.status).toBe(200);
    expectLimited((await upgrade(app, "/trpc?connectionParams=1", stranger)) as Answer, 5000);
    expectLimited(
      (await upgrade(app, "/socket.io/?EIO=4&transport=websocket", stranger)) as Answer,
      5000,
    );
    const polling = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`, {
      headers: stranger,
    });
    expect(polling.status).toBe(429);
    const elsewhere = await upgrade(app, "/trpc?connectionParams=1", {
      "x-forwarded-for": ELSEWHERE,
    });
    expect(elsewhere).toBeInstanceOf(WebSocket);
    first.send(JSON.stringify({ method: "connectionParams", data: { token } }));
    expect(await say(first, 1, "query", "system.info")).toEqual({ appCode: "ok" });
    for (const transport of ["websocket", "polling"]) {
      const client = legacy(app, transport, as(token));
      expect(await joins(client)).toBe(true);
      // It has joined, so another one may come.
      expect(await joins(legacy(app, transport, as(token)))).toBe(true);
    }
  });
});

describe("[R6] failed sign-ins of an address", () => {
  test("are refused with RATE_LIMITED beyond the limit, on every transport, and keep no valid credentials out", async () => {
    const app = await start({ LIMIT_ADDRESS_FAILED_SIGN_INS: "3" });
    for (let n = 0; n < 3; n += 1) {
      expect(await info(app, as(bad(n)))).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
    }
    expectLimited(await info(app, as(bad(3))), 60_000);
    const socket = (await upgrade(app, "/trpc", as(bad(4)))) as WebSocket;
    expect(await say(socket, 1, "query", "system.info")).toMatchObject(LIMITED);
    expect(await isOpen(stream(app, as(bad(5))))).toBe(false);
    expect(await joins(legacy(app, "polling", as(bad(6))))).toBe(false);
    const signIn = await fetch(`${app.url}/auth/sign-in`, {
      method: "POST",
      headers: { ...as(bad(7)), origin: app.url, "content-type": "application/json" },
      body: JSON.stringify({ token: bad(7) }),
    });
    expect(signIn.status).toBe(429);

    // Valid credentials that the server has never seen, from the same address.
    expect((await info(app, as(await freshToken()))).code).toBe("ok");
    expect(await isOpen(stream(app, as(await freshToken())))).toBe(true);
    expect(await joins(legacy(app, "websocket", as(await freshToken())))).toBe(true);
    const ws = (await upgrade(app, "/trpc", as(await freshToken()))) as WebSocket;
    expect(await say(ws, 1, "query", "system.info")).toEqual({ appCode: "ok" });
    expect((await post(app, "/auth/sign-in", { body: { token: await freshToken() } })).status).toBe(
      200,
    );
    // Its client must get another token, and one without a token must sign in.
    const expired = await tokenFor("ann", { exp: 1_000_000 });
    expect((await info(app, as(expired))).code).toBe("TOKEN_EXPIRED");
    expect((await info(app, { "x-forwarded-for": HOME })).code).toBe("UNAUTHENTICATED");
    const cookie = `jobwire=${"A".repeat(43)}`;
    const page = { cookie, "sec-fetch-site": "same-origin", "x-forwarded-for": HOME };
    expect((await info(app, page)).code).toBe("UNAUTHENTICATED");
    expect((await info(app, as(bad(8), ELSEWHERE))).code).toBe("UNAUTHENTICATED");
  });
});

describe("[R5] jobs of a tenant", () => {
  const JOB = { kind: testKind.name, input: {} };

  test("that are created in a minute are limited, and a batch counts its jobs", async () => {
    const app = await start({ LIMIT_TENANT_CREATED_JOBS: "4" });
    const ann = as(await tokenFor("ann"));
    const bob = as(await tokenFor("bob"));
    expect((await mutate(app, "batch.create", ann, { jobs: [JOB, JOB, JOB] })).code).toBe("ok");
    expectLimited(await mutate(app, "batch.create", ann, { jobs: [JOB, JOB] }), 60_000);
    expect((await mutate(app, "job.create", bob, JOB)).code).toBe("ok");
    expectLimited(await mutate(app, "job.create", bob, JOB), 60_000);
    const other = as(await tokenFor("eve", { tenant: "other" }));
    expect((await mutate(app, "job.create", other, JOB)).code).toBe("ok");
    const five = { jobs: [JOB, JOB, JOB, JOB, JOB] };
    expect((await mutate(app, "batch.create", other, five)).code).toBe("BAD_REQUEST");
  });

  test("that wait, and what they hold, are limited", async () => {
    const app = await start({ LIMIT_TENANT_WAITING_JOBS: "2", LIMIT_TENANT_BYTES: "60" });
    const ann = as(await tokenFor("ann"));
    const other = as(await tokenFor("eve", { tenant: "other" }));
    const { id } = await createdJob(app, ann);
    expect((await mutate(app, "job.create", ann, JOB)).code).toBe("ok");
    expectLimited(await mutate(app, "job.create", ann, JOB), 30_000);
    expect((await mutate(app, "job.create", other, JOB)).code).toBe("ok");
    expect((await mutate(app, "job.cancel", ann, { jobId: id })).code).toBe("ok");
    expect((await mutate(app, "job.create", ann, JOB)).code).toBe("ok");
    expectLimited(await mutate(app, "job.retry", ann, { jobId: id }), 30_000);
    const large = { ...JOB, input: { text: "x".repeat(60) } };
    expectLimited(await mutate(app, "job.create", other, large), 30_000);
  });

  async function createdJob(app: App, headers: Headers): Promise<{ id: string }> {
    const response = await fetch(`${app.url}/trpc/job.create`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ json: JOB }),
    });
    return ((await response.json()) as { result: { data: { json: { id: string } } } }).result.data
      .json;
  }
});

test("[R1] each refusal counts in the metrics, by the name of its limit", async () => {
  const port = await freePort();
  const app = await start({ LIMIT_TENANT_CREATED_JOBS: "1", METRICS_PORT: String(port) });
  const ann = as(await tokenFor("ann"));
  for (let n = 0; n < 3; n += 1) {
    await mutate(app, "job.create", ann, { kind: testKind.name, input: {} });
  }
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toContain('jobwire_rate_limited_total{limit="tenant_created_jobs"} 2');
  expect(metrics).toContain('jobwire_rate_limited_total{limit="user_calls"} 0');
});

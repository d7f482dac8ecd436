import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { type ControlledClock, createTestClock } from "#server/testing/test-clock.ts";
import type { Authenticate } from "#server/transports/contract.ts";
import { CREDENTIAL_LIMITS } from "#server/transports/callers/credential-end.ts";
import { AppError } from "#shared/errors.ts";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import { openTestServer } from "#test/transports/trpc.fixture.ts";

let clock: ControlledClock;

/** Tokens of these tests: `<user> <scopes> <milliseconds that it lives>`. */
const authenticate: Authenticate = async ({ headers, token = headers.authorization }) => {
  const [userId = "", scopes = "", ms = ""] = (token ?? "").replace("Bearer ", "").split(" ");
  if (userId === "") throw new AppError("UNAUTHENTICATED", "Sign in.");
  if (userId === "nobody") throw new AppError("TOKEN_EXPIRED", "This token has expired.");
  return {
    userId,
    tenantId: "acme",
    scopes: scopes.split(","),
    expiresAt: ms === "" ? undefined : clock.now().getTime() + Number(ms),
  };
};

const work = { kind: "work", input: {} };
/** Of tokens, of their grace and of the time for them to arrive, on the clock. */
const LIFE_MS = 60_000;
/** When a connection whose token ends is closed, at the latest. */
const LATER_MS = 3 * LIFE_MS;
const LIMITS = { graceMs: LIFE_MS, identifyMs: LIFE_MS };
const ALL = "jobs:read,jobs:write";
const RECONNECT = { id: null, method: "reconnect" };

/** A short text frame with a mask that changes nothing. */
function frameOf(payload: string): Buffer {
  return Buffer.concat([
    Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]),
    Buffer.from(payload),
  ]);
}

interface Answer {
  id: number | null;
  method?: string;
  result?: { type: string; data?: { json: Record<string, unknown> } };
  error?: { json: { data: { appCode: string } } };
}

/** A client that does nothing by itself. */
async function openSocket(url: string, token: string | undefined) {
  const socket = new WebSocket(
    `${url.replace("http", "ws")}/trpc${token === undefined ? "" : "?connectionParams=1"}`,
  );
  onTestFinished(() => socket.terminate());
  const answers: Answer[] = [];
  socket.on("message", (data: Buffer) => answers.push(JSON.parse(data.toString()) as Answer));
  let closed: { code: number; reason: string } | undefined;
  socket.on("close", (code, reason) => (closed = { code, reason: reason.toString() }));
  await once(socket, "open");
  if (token !== undefined && token !== "silent") {
    socket.send(
      JSON.stringify({ method: "connectionParams", data: token === "" ? {} : { token } }),
    );
  }
  let id = 0;
  return {
    answers,
    closed: () => closed,
    reconnects: () => answers.filter(({ method }) => method === "reconnect"),
    /** Resolves to the first answer. */
    async ask(method: string, path: string, input?: object): Promise<Answer> {
      id += 1;
      const mine = id;
      socket.send(JSON.stringify({ id, method, params: { path, input: { json: input } } }));
      return eventually(() => {
        const answer = answers.find((each) => each.id === mine);
        if (answer === undefined) throw new Error(`There is no answer to ${path} yet.`);
        return answer;
      });
    },
  };
}

/** The server may notice what a client did only after a first advance. */
const eventuallyLater = (check: () => void) =>
  eventually(async () => {
    await clock.advance(LATER_MS);
    check();
  });

const jsonOf = ({ result }: Answer) => result?.data?.json;
const codeOf = ({ error }: Answer) => error?.json.data.appCode;

async function serve(credentialLimits = LIMITS) {
  clock = createTestClock();
  return openTestServer({ authenticate, credentialLimits, clock });
}

test("[P5] at the end of its token a connection is told to reconnect, and closed later", async () => {
  const { url } = await serve();
  const lasting = await openSocket(url, `ann ${ALL} ${LIFE_MS}`);
  expect(jsonOf(await lasting.ask("query", "auth.me"))).toMatchObject({
    userId: "ann",
    scopes: ALL.split(","),
    expiresInMs: LIFE_MS,
  });
  await clock.advance(LIFE_MS - 1);
  await lasting.ask("query", "auth.me");
  expect(lasting.reconnects()).toEqual([]);
  await clock.advance(LATER_MS);
  await eventually(() => expect(lasting.closed()?.code).toBe(1008));
  expect(lasting.reconnects()).toEqual([RECONNECT]);
});

test("[P5] until it is closed, a connection whose token has ended is served", async () => {
  const { url } = await serve({ ...LIMITS, graceMs: LATER_MS });
  const socket = await openSocket(url, `ann ${ALL} ${LIFE_MS}`);
  await socket.ask("query", "auth.me");
  await clock.advance(LATER_MS);
  await eventually(() => expect(socket.reconnects()).toEqual([RECONNECT]));
  expect(codeOf(await socket.ask("query", "job.list", {}))).toBeUndefined();
});

test("[P6] a connection that gets newer tokens outlives each of them, and its watch goes on", async () => {
  const { url, fixture } = await serve();
  const socket = await openSocket(url, `ann ${ALL} ${LIFE_MS}`);
  const created = await socket.ask("mutation", "job.create", work);
  const jobId = String(jsonOf(created)?.id);
  await socket.ask("subscription", "job.onUpdate", { jobId });
  for (let n = 0; n < 3; n++) {
    await clock.advance(LIFE_MS - 1);
    const token = `ann ${ALL} ${LIFE_MS}`;
    const refreshed = jsonOf(await socket.ask("mutation", "auth.refresh", { token }));
    expect(refreshed?.expiresInMs).toBe(LIFE_MS);
  }
  await socket.ask("mutation", "auth.refresh", { token: `ann ${ALL}` });
  const other = await openSocket(url, `ann ${ALL} ${LIFE_MS}`);
  await other.ask("query", "auth.me");
  await clock.advance(LATER_MS);
  await eventually(() => expect(other.closed()).toBeDefined());
  fixture.startRunner();
  await eventually(() => expect(JSON.stringify(socket.answers)).toContain('"DELIVERED"'));
  expect(jsonOf(await socket.ask("query", "auth.me"))?.expiresInMs).toBeNull();
  expect(socket.reconnects()).toEqual([]);
});

test("[P6] a newer token is accepted even after the client was told to reconnect", async () => {
  const { url } = await serve({ ...LIMITS, graceMs: LATER_MS });
  const socket = await openSocket(url, `ann ${ALL} ${LIFE_MS}`);
  await socket.ask("query", "auth.me");
  await clock.advance(LATER_MS);
  await eventually(() => expect(socket.reconnects()).toEqual([RECONNECT]));
  await socket.ask("mutation", "auth.refresh", { token: `ann ${ALL}` });
  const other = await openSocket(url, `ann ${ALL} ${LIFE_MS}`);
  await other.ask("query", "auth.me");
  await clock.advance(2 * LATER_MS);
  await eventually(() => expect(other.closed()).toBeDefined());
  expect(socket.closed()).toBeUndefined();
});

describe("[P6] a newer token is refused, and the connection stays as it was, if it", () => {
  test.each([
    ["is another user's", `bob ${ALL}`, "FORBIDDEN"],
    ["has expired", "nobody", "TOKEN_EXPIRED"],
    ["is not valid", " ", "UNAUTHENTICATED"],
    ["is too long", "x".repeat(8193), "BAD_REQUEST"],
    ["is empty", "", "BAD_REQUEST"],
  ])("%s", async (_what, token, code) => {
    const { url } = await serve();
    const socket = await openSocket(url, `ann ${ALL}`);
    expect(codeOf(await socket.ask("mutation", "auth.refresh", { token }))).toBe(code);
    expect(jsonOf(await socket.ask("query", "auth.me"))?.userId).toBe("ann");
    expect(socket.reconnects()).toEqual([]);
  });
});

test("[P6] a token that grants less ends the connection, so that every watch is checked again", async () => {
  const { url } = await serve();
  const socket = await openSocket(url, `ann ${ALL}`);
  const less = await socket.ask("mutation", "auth.refresh", { token: "ann jobs:read" });
  expect(jsonOf(less)).toMatchObject({ scopes: ["jobs:read"] });
  expect(codeOf(await socket.ask("mutation", "job.create", work))).toBe("FORBIDDEN");
  await clock.advance(LIFE_MS);
  await eventually(() => expect(socket.closed()).toBeDefined());
  expect(socket.reconnects()).toEqual([RECONNECT]);
});

test("[P6] after a token that grants less, no further token keeps the connection", async () => {
  const { url } = await serve();
  const socket = await openSocket(url, `ann ${ALL}`);
  for (const scopes of ["jobs:read", "jobs:read", ALL]) {
    await socket.ask("mutation", "auth.refresh", { token: `ann ${scopes}` });
  }
  await clock.advance(LIFE_MS);
  await eventually(() => expect(socket.closed()).toBeDefined());
});

test("[P5] after its close a connection runs no command, although its client ignores the close", async () => {
  const { url } = await serve();
  const { port, hostname } = new URL(url);
  const raw = connect(Number(port), hostname);
  onTestFinished(() => void raw.destroy());
  let heard = "";
  raw.on("data", (data: Buffer) => (heard += data.toString("latin1")));
  raw.write(
    `GET /trpc HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ann ${ALL} ${LIFE_MS}\r\n` +
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  raw.write(frameOf('{"id":7,"method":"query","params":{"path":"auth.me"}}'));
  await eventually(() => expect(heard).toContain('"id":7'));
  await clock.advance(LATER_MS);
  await eventually(() => expect(heard).toContain("The credentials ended"));
  const call = { id: 1, method: "mutation", params: { path: "job.create", input: { json: work } } };
  raw.write(frameOf(JSON.stringify(call)));
  await once(raw, "close");
  expect(heard.split("The credentials ended")[1]).toBe("");
  const list = await openSocket(url, `ann ${ALL}`);
  expect(jsonOf(await list.ask("query", "job.list", {}))).toMatchObject({ items: [] });
});

test("[P6] a token that grants more takes effect at once, on the same connection", async () => {
  const { url } = await serve();
  const socket = await openSocket(url, "ann jobs:read");
  expect(codeOf(await socket.ask("mutation", "job.create", work))).toBe("FORBIDDEN");
  await socket.ask("mutation", "auth.refresh", { token: `ann ${ALL}` });
  expect(codeOf(await socket.ask("mutation", "job.create", work))).toBeUndefined();
  expect(socket.reconnects()).toEqual([]);
});

test("[P6] a request over HTTP has nothing to refresh", async () => {
  const { url } = await serve();
  const answer = await fetch(`${url}/trpc/auth.refresh`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer ann" },
    body: JSON.stringify({ json: { token: `ann ${ALL}` } }),
  });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain("An HTTP request has its own credentials.");
});

describe("[P7] a connection is closed that", () => {
  test.each([
    ["sends no parameters", "silent"],
    ["sends no token", ""],
    ["sends a token that has expired", "nobody"],
  ])("%s", async (_what, token) => {
    const { url } = await serve();
    const socket = await openSocket(url, token);
    await eventuallyLater(() =>
      expect(socket.closed()).toEqual({
        code: 1008,
        reason: "No valid credentials arrived in time",
      }),
    );
  });

  test("sends no token in its request", async () => {
    const { url } = await serve();
    const socket = await openSocket(url, undefined);
    await eventuallyLater(() => expect(socket.closed()?.code).toBe(1008));
  });
});

test("[P7] a connection whose token had expired can still bring a newer one", async () => {
  const { url } = await serve();
  const socket = await openSocket(url, "nobody");
  expect(codeOf(await socket.ask("query", "job.list", {}))).toBe("TOKEN_EXPIRED");
  await socket.ask("mutation", "auth.refresh", { token: `ann ${ALL}` });
  expect(codeOf(await socket.ask("query", "job.list", {}))).toBeUndefined();
  const other = await openSocket(url, "nobody");
  await eventuallyLater(() => expect(other.closed()).toBeDefined());
  expect(socket.closed()).toBeUndefined();
});

test("[P7] without authentication, a connection that sends its parameters stays", async () => {
  clock = createTestClock();
  const { url } = await openTestServer({ credentialLimits: LIMITS, clock });
  const socket = await openSocket(url, "any");
  await socket.ask("query", "system.info");
  // Its deadline is over when that of a later connection is.
  const silent = await openSocket(url, "silent");
  await eventuallyLater(() => expect(silent.closed()).toBeDefined());
  expect(socket.closed()).toBeUndefined();
});

test("[P5] a stream over HTTP ends with TOKEN_EXPIRED, and other streams go on", async () => {
  const { url, watches } = await serve(CREDENTIAL_LIMITS);
  const socket = await openSocket(url, `ann ${ALL}`);
  const jobId = jsonOf(await socket.ask("mutation", "job.create", work))?.id;
  const input = encodeURIComponent(JSON.stringify({ json: { jobId, follow: true } }));
  const open = (path: string, token: string) =>
    fetch(`${url}/trpc/${path}?input=${input}`, { headers: { authorization: `Bearer ${token}` } });
  const staying = await open("job.onUpdate", `ann ${ALL}`);
  for (const path of ["job.onUpdate", "system.onState"]) {
    const ending = await open(path, `ann ${ALL} ${LIFE_MS}`);
    let told = "";
    void ending.text().then((text) => (told = text));
    await eventuallyLater(() => expect(told).not.toBe(""));
    expect(told.match(/event: serialized-error/g)).toHaveLength(1);
    expect(told).toContain('"TOKEN_EXPIRED"');
  }
  await eventually(() => expect(watches()).toBe(1));
  await staying.body?.cancel();
});

import { afterEach, describe, expect, test } from "vitest";
import { type ControlledClock, createTestClock } from "#server/testing/test-clock.ts";
import type { Authenticate } from "#server/transports/contract.ts";
import { AppError } from "#shared/errors.ts";
import { openPolling, openRaw } from "#test/transports/socketio-raw-client.ts";
import {
  createJob,
  openTestServer,
  startJob,
  type TestServer,
  until,
} from "#test/transports/socketio.fixture.ts";

/** Of credentials and their grace alone: how long a client may take to join is real time. */
let clock: ControlledClock;

/** Tokens of these tests: `<user> <scopes> <milliseconds that it lives>`. */
const authenticate: Authenticate = async ({ token = "" }) => {
  const [userId = "", scopes = "", ms = ""] = token.split(" ");
  if (userId === "") throw new AppError("UNAUTHENTICATED", "Sign in.");
  return {
    userId,
    tenantId: "acme",
    scopes: scopes.split(","),
    expiresAt: ms === "" ? undefined : clock.now().getTime() + Number(ms),
  };
};
/** Of tokens and of their grace, on the clock. */
const LIFE_MS = 60_000;
/** More than the ends of connections are spread over. */
const LATER_MS = 10 * LIFE_MS;
/** Enough for a client on a busy machine to join. */
const JOIN_MS = 5000;
/** Only tests of the time to join have a short one: a busy machine may need longer for anything else. */
const LIMITS = { graceMs: LIFE_MS, identifyMs: 60_000 };
const ann = { userId: "ann", tenantId: "acme", scopes: [] };
const bob = { ...ann, userId: "bob" };

let server: TestServer;
afterEach(() => server.close());

async function serve(credentialLimits = LIMITS): Promise<void> {
  clock = createTestClock();
  server = await openTestServer({ authenticate, credentialLimits, clock });
}

const connected = async (token: string) => {
  const client = server.connect({ auth: { token } });
  /** The reasons. */
  const lost: string[] = [];
  client.socket.on("disconnect", (reason) => void lost.push(reason));
  await until(() => expect(client.named("connection")).toHaveLength(1));
  return {
    ...client,
    lost,
    refresh: (payload: unknown): Promise<unknown> =>
      client.socket.emitWithAck("auth:refresh", payload),
    subscribe: (job_id: string): Promise<unknown> =>
      client.socket.emitWithAck("subscribe:job", { job_id }),
  };
};

test("[P5] a connection whose token has ended is closed as a network failure closes it", async () => {
  await serve();
  const client = await connected(`ann jobs:read ${LIFE_MS}`);
  await clock.advance(LIFE_MS);
  expect(await client.refresh({})).toMatchObject({ ok: false });
  await clock.advance(LATER_MS);
  // After "io server disconnect", clients would not reconnect.
  await until(() =>
    expect(client.lost).toEqual([expect.stringMatching(/^transport (?:close|error)$/)]),
  );
});

test("[P6] a connection that gets newer tokens outlives each of them, and its watch goes on", async () => {
  await serve();
  const jobId = await createJob(server.engine, { owner: ann });
  const client = await connected(`ann jobs:read ${LIFE_MS}`);
  await client.subscribe(jobId);
  for (let n = 0; n < 3; n++) {
    await clock.advance(LIFE_MS);
    expect(await client.refresh({ token: `ann jobs:read ${LIFE_MS}` })).toEqual({
      ok: true,
      expires_in_ms: LIFE_MS,
    });
  }
  expect(await client.refresh({ token: "ann jobs:read" })).toEqual({
    ok: true,
    expires_in_ms: null,
  });
  const other = await connected(`ann jobs:read ${LIFE_MS}`);
  await clock.advance(LATER_MS);
  await until(() => expect(other.lost).toHaveLength(1));
  await (await startJob(server.engine, jobId)).deliver();
  await until(() => expect(client.named("job:completed")).toHaveLength(1));
  expect(client.lost).toEqual([]);
});

describe("[P6] a newer token is refused, and the connection stays as it was, if it", () => {
  test.each<[what: string, payload: unknown, code: string]>([
    ["is another user's", { token: "bob jobs:read" }, "FORBIDDEN"],
    ["is not valid", { token: " " }, "UNAUTHENTICATED"],
    ["is missing", {}, "BAD_REQUEST"],
    ["is no text", { token: 7 }, "BAD_REQUEST"],
    ["is too long", { token: "x".repeat(8193) }, "BAD_REQUEST"],
    ["comes without an object", "ann jobs:read", "BAD_REQUEST"],
  ])("%s", async (_what, payload, code) => {
    await serve();
    const client = await connected("ann jobs:read");
    expect(await client.refresh(payload)).toMatchObject({ ok: false, error: { code } });
    const jobId = await createJob(server.engine, { owner: ann });
    expect(await client.subscribe(jobId)).toEqual({ ok: true });
  });
});

test("[P6] a token that grants less ends the watches that relied on the earlier one, and no others", async () => {
  await serve();
  const [mine, bobs] = [
    await createJob(server.engine, { owner: ann }),
    await createJob(server.engine, { owner: bob }),
  ];
  let token = "ann jobs:read,tenant";
  const client = server.connect({
    auth: (give) => give({ token }),
    reconnection: true,
    reconnectionDelay: 10,
  });
  try {
    const subscribe = (job_id: string): Promise<unknown> =>
      client.socket.emitWithAck("subscribe:job", { job_id });
    expect(await subscribe(mine)).toEqual({ ok: true });
    expect(await subscribe(bobs)).toEqual({ ok: true });
    token = "ann jobs:read";
    expect(await client.socket.emitWithAck("auth:refresh", { token })).toMatchObject({ ok: true });
    await clock.advance(LATER_MS);
    await until(() =>
      expect(client.named("subscription:error")).toEqual([
        expect.objectContaining({ job_id: bobs, code: "NOT_FOUND" }),
      ]),
    );
    expect(client.named("connection")).toHaveLength(2);
    await (await startJob(server.engine, mine)).deliver();
    await until(() => expect(client.named("job:completed")).toHaveLength(1));
  } finally {
    client.socket.disconnect();
  }
});

test("[P6] after a token that grants less, no further token keeps the connection", async () => {
  await serve();
  const client = await connected("ann jobs:read,tenant");
  for (const scopes of ["jobs:read", "jobs:read", "jobs:read,tenant"]) {
    expect(await client.refresh({ token: `ann ${scopes}` })).toMatchObject({ ok: true });
  }
  await clock.advance(LATER_MS);
  await until(() => expect(client.lost).toHaveLength(1));
});

describe("[P7] a session is closed that", () => {
  test("never joins, although it polls", async () => {
    await serve({ ...LIMITS, identifyMs: 300 });
    const client = await openPolling(server.url);
    await until(async () => expect((await client.poll()).status).toBe(400));
  });

  test("never joins nor polls", async () => {
    await serve({ ...LIMITS, identifyMs: 300 });
    const { sid } = await openPolling(server.url);
    await until(async () => {
      const url = `${server.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
      expect((await fetch(url, { method: "POST", body: "3" })).status).toBe(400);
    });
  });

  test("joins without valid credentials", async () => {
    await serve({ ...LIMITS, identifyMs: JOIN_MS });
    const client = openRaw(
      `${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`,
    );
    await until(() => expect(client.frames).toHaveLength(1));
    client.send("40");
    await client.closed;
    expect(client.frames.at(-1)).toContain("UNAUTHENTICATED");
  });
});

test("[P7] refused joins do not give a session more time", async () => {
  await serve({ ...LIMITS, identifyMs: 300 });
  const client = openRaw(
    `${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`,
  );
  await until(() => expect(client.frames).toHaveLength(1));
  const joining = setInterval(() => client.send('40{"token":" "}'), 100);
  await client.closed;
  clearInterval(joining);
  // With the eighth the session would be closed for another reason.
  expect(client.frames.filter((frame) => frame.startsWith("44")).length).toBeLessThan(7);
});

test("[P7] a session that joined and left is closed, unless it joins again", async () => {
  await serve({ ...LIMITS, identifyMs: JOIN_MS });
  const url = `${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`;
  const [returning, leaving] = [openRaw(url), openRaw(url)];
  let isClosed = false;
  void returning.closed.then(() => (isClosed = true));
  // The time of the one that returns is over when that of the one that left later is.
  for (const client of [returning, leaving]) {
    await until(() => expect(client.frames).toHaveLength(1));
    client.send('40{"token":"ann jobs:read"}');
    await until(() => expect(client.frames.at(-1)).toContain("connection"));
    client.send("41");
  }
  returning.send('40{"token":"ann jobs:read"}');
  await leaving.closed;
  await until(() =>
    expect(returning.frames.filter((frame) => frame.includes('"connection"'))).toHaveLength(2),
  );
  expect(isClosed).toBe(false);
});

test("[P6] a refresh of a client that leaves meanwhile registers nothing", async () => {
  await serve();
  const join = '40{"token":"ann jobs:read"}';
  const client = await openPolling(server.url);
  await client.post(join);
  await client.poll();
  // Socket.IO handles both before the server has checked the token.
  await client.post(`421["auth:refresh",{"token":"ann jobs:read ${LIFE_MS}"}]`, "41");
  await client.post(join);
  await client.poll();
  // The deadline of the refresh would close the session as it closes that of another connection.
  const other = await connected(`ann jobs:read ${LIFE_MS}`);
  await clock.advance(LATER_MS);
  await until(() => expect(other.lost).toHaveLength(1));
  expect((await client.post("41")).status).toBe(200);
});

test("[P7] a session that has joined stays", async () => {
  await serve({ ...LIMITS, identifyMs: JOIN_MS });
  const early = await connected("ann jobs:read");
  const late = openRaw(`${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
  await late.closed;
  expect(early.lost).toEqual([]);
});

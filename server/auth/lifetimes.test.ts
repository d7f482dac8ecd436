/** Watchers whose tokens end and whose provider changes its keys, on a whole server, with the clients that people use. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { EventSource } from "eventsource";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { io } from "socket.io-client";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { createJobwireClient, type GetToken } from "#client/lib/client.ts";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { defineKind, delivered } from "#server/kinds/define.ts";
import type { JobEvent } from "#shared/events.ts";
import type { LegacyJobPayload } from "#shared/legacy.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import { checkRecord } from "#test/streams/check-record.ts";
import { openClient, watchJob } from "#test/transports/trpc.fixture.ts";

const ISSUER = "https://id.example";
const AUDIENCE = "jobwire";
const TOKEN_S = 1;
const LIFETIMES = 3;
const REPORT_MS = 10;
/** Enough that a gap would show. */
const REPORTS = 100;

/** An identity provider: its public keys over HTTP, and tokens of its newest key. */
async function openProvider() {
  const keys: JWK[] = [];
  const server = createServer((_req, res) => res.end(JSON.stringify({ keys })));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  let sign: () => Promise<string>;

  async function rotate(): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const kid = `key ${keys.length + 1}`;
    keys.push({ ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" });
    sign = () =>
      new SignJWT({ tenant: "acme", scope: PERSON_SCOPES.join(" ") })
        .setProtectedHeader({ alg: "ES256", kid })
        .setSubject("ann")
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt()
        .setExpirationTime(`${TOKEN_S} seconds`)
        .sign(privateKey);
  }
  await rotate();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    rotate,
    token: () => sign(),
    close: () => server.close(),
  };
}

/** Reports until the test ends it. */
let ending = Promise.withResolvers<void>();
let reports = 0;
const ticks = defineKind({
  name: "ticks",
  description: "Reports until it is told to end.",
  input: z.object({}),
  output: z.unknown(),
  title: () => "Ticks",
  start: { progress: 0, message: "Begins" },
  async run({ progress }) {
    let over = false;
    void ending.promise.then(() => (over = true));
    for (reports = 0; !over;) {
      reports += 1;
      await progress(1 + (reports % 98), `Step ${reports}`);
      await delay(REPORT_MS);
    }
    return delivered("Done", null);
  },
});

let data: TestData;
let app: App;
let provider: Awaited<ReturnType<typeof openProvider>>;

beforeAll(async () => {
  vi.stubGlobal("EventSource", EventSource);
  provider = await openProvider();
  data = await newTestData();
  const env = {
    PORT: "0",
    LOG_LEVEL: "silent",
    SHUTDOWN_GRACE_MS: "0",
    AUTH_JWKS_URL: provider.url,
    AUTH_ISSUER: ISSUER,
    AUTH_AUDIENCE: AUDIENCE,
  };
  app = await createApp(loadConfig({ ...data.env, ...env }), { kinds: [ticks] });
});
afterAll(async () => {
  vi.unstubAllGlobals();
  await app.close();
  await data.remove();
  provider.close();
});

interface Watcher {
  /** The number of tokens that it has used. */
  tokens(): number;
  /** True once it has seen the end of the job. */
  isDone(): boolean;
  /** Throws if it missed an event, or received one twice. */
  check(log: readonly JobEvent[]): void;
}

/** A `getToken` that counts. */
function counted() {
  let count = 0;
  const getToken: GetToken = () => {
    count += 1;
    return provider.token();
  };
  return { getToken, tokens: () => count };
}

function ourClient(jobId: string, transport: "ws" | "sse"): Watcher & { lost(): number } {
  const { getToken, tokens } = counted();
  const client = createJobwireClient({ url: app.url, transport, getToken });
  onTestFinished(() => client.close());
  let lost = 0;
  client.connection.subscribe(() => (lost += client.connection.get() === "stale" ? 1 : 0));
  const seen: JobEvent[] = [];
  const errors: unknown[] = [];
  client.trpc.job.onUpdate.subscribe(
    { jobId, lastEventId: "0" },
    { onData: ({ data: event }) => seen.push(event), onError: (error) => errors.push(error) },
  );
  return {
    tokens,
    lost: () => lost,
    isDone: () => seen.at(-1)?.status === "DELIVERED",
    check(log) {
      expect(errors).toEqual([]);
      expect(checkRecord(log, [{ after: 0, seen }])).toEqual([]);
    },
  };
}

async function stockClient(jobId: string): Promise<Watcher> {
  let tokens = 0;
  let token = await provider.token();
  // The callback of the stock client's parameters: an app would keep its newest token there.
  const renewing = setInterval(() => void provider.token().then((next) => (token = next)), 200);
  onTestFinished(() => clearInterval(renewing));
  const client = openClient(app.url, "ws", () => {
    tokens += 1;
    return token;
  });
  const notes = watchJob(client, { jobId, lastEventId: "0" });
  return {
    tokens: () => tokens,
    isDone: () => notes.state === "complete",
    check(log) {
      expect(notes.errors).toEqual([]);
      expect(checkRecord(log, [{ after: 0, seen: notes.data }])).toEqual([]);
    },
  };
}

async function legacyClient(jobId: string): Promise<Watcher & { lost(): number }> {
  let tokens = 0;
  let lost = 0;
  const socket = io(app.url, {
    forceNew: true,
    auth: (give) => void provider.token().then((token) => give({ token })),
  });
  onTestFinished(() => void socket.disconnect());
  socket.on("disconnect", () => (lost += 1));
  const seen: LegacyJobPayload[] = [];
  socket.on("job:update", (update: LegacyJobPayload) => seen.push(update));
  await socket.emitWithAck("subscribe:job", { job_id: jobId });
  const renewing = setInterval(() => {
    void provider.token().then((token) => {
      tokens += 1;
      socket.emit("auth:refresh", { token });
    });
  }, 1000);
  onTestFinished(() => clearInterval(renewing));
  return {
    tokens: () => tokens,
    lost: () => lost,
    isDone: () => seen.at(-1)?.status === "DELIVERED",
    // It began with the current state.
    check: (log) =>
      expect(seen.map(({ message }) => message)).toEqual(
        log.slice(-seen.length).map(({ message }) => message),
      ),
  };
}

test("[P1] [P5] [P6] watchers on every transport live through three tokens and a change of keys without a gap", async () => {
  ending = Promise.withResolvers();
  const maker = createJobwireClient({ url: app.url, getToken: () => provider.token() });
  onTestFinished(() => maker.close());
  const { id: jobId } = await maker.trpc.job.create.mutate({ kind: "ticks", input: {} });
  const inBand = [ourClient(jobId, "ws"), await legacyClient(jobId)];
  const watchers = [...inBand, ourClient(jobId, "sse"), await stockClient(jobId)];
  await eventually(() => {
    for (const each of watchers) expect(each.tokens()).toBeGreaterThan(1);
  });
  await provider.rotate();
  await eventually(() => {
    for (const each of watchers) expect(each.tokens()).toBeGreaterThan(LIFETIMES);
    expect(reports).toBeGreaterThan(REPORTS);
  });
  ending.resolve();
  await eventually(() => {
    for (const each of watchers) expect(each.isDone()).toBe(true);
  });
  const log: JobEvent[] = [];
  for (let page; page === undefined || page.length > 0;) {
    const cursor = String(log.at(-1)?.seq ?? 0);
    page = (await maker.trpc.job.events.query({ jobId, cursor, limit: 1000 })).items;
    log.push(...page);
  }
  expect(log.length).toBeGreaterThan(REPORTS);
  for (const each of watchers) each.check(log);
  // With tokens in band there is no reconnect.
  expect(inBand.map((each) => each.lost())).toEqual([0, 0]);
});

test("[P6] a call whose token had ended is repeated with a newer one, and is made once", async () => {
  const stale = await provider.token();
  const reasons: string[] = [];
  const client = createJobwireClient({
    url: app.url,
    transport: "sse",
    getToken({ reason }) {
      reasons.push(reason);
      return reasons.length === 1 ? stale : provider.token();
    },
  });
  onTestFinished(() => client.close());
  await eventually(async () => {
    const answer = await fetch(`${app.url}/trpc/auth.me`, {
      headers: { authorization: `Bearer ${stale}` },
    });
    expect(await answer.text()).toContain("TOKEN_EXPIRED");
  });
  const [first, second] = await Promise.all([
    client.trpc.job.create.mutate({ kind: "ticks", input: {} }),
    client.trpc.auth.me.query(),
  ]);
  expect(second.userId).toBe("ann");
  const { items } = await client.trpc.job.list.query({ kind: "ticks" });
  expect(items.filter(({ id }) => id === first.id)).toHaveLength(1);
  expect(reasons).toEqual(["connect", "expired"]);
});

/** The limits themselves, in memory and on a Redis that several processes share. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Redis } from "ioredis";
import { describe, expect, inject, onTestFinished, test, vi } from "vitest";
import type { Connector } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import type { Principal } from "#shared/principal.ts";
import { startRedis, type TestRedis } from "#test/redis/server.fixture.ts";
import { MAX_CALLS_AT_ONCE } from "./call-turns.ts";
import { LIMIT_NAMES, type LimitName, type Most } from "./limits.ts";
import { type Limits, type LimitsOptions, openLimits, type Release } from "./open.ts";

const ANN: Principal = { tenantId: "acme", userId: "ann", scopes: [] };
const BOB: Principal = { ...ANN, userId: "bob" };
/** The same user in another tenant is another user. */
const OTHER_ANN: Principal = { ...ANN, tenantId: "{other}/" };

const mostOf = (most: Partial<Most>) =>
  ({ ...Object.fromEntries(LIMIT_NAMES.map((name) => [name, 0])), ...most }) as Most;

function open(most: Partial<Most>, options: Partial<LimitsOptions> = {}): Limits {
  const limits = openLimits({
    most: mostOf(most),
    trusted: { hops: 0 },
    windows: { calls: 1, failedSignIns: 1, createdJobs: 1 },
    slowMs: 1,
    onRefused: () => undefined,
    ...options,
  });
  onTestFinished(() => limits.close());
  return limits;
}

async function sharedRedis(): Promise<{ redis: TestRedis; connector: Connector }> {
  const redis = await startRedis(inject("redisServer"));
  const clients: Redis[] = [];
  onTestFinished(async () => {
    for (const client of clients) client.disconnect();
    await redis.close();
  });
  const connect = () => {
    const client = new Redis(redis.url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
    client.on("error", () => undefined);
    clients.push(client);
    return client;
  };
  return { redis, connector: { connect, prefix: "jobwire" } };
}

const ready = (client: () => Redis | undefined) =>
  vi.waitFor(() => expect(client()?.status).toBe("ready"));

const errorOf = (thrown: unknown): AppError => {
  expect(thrown).toBeInstanceOf(AppError);
  return thrown as AppError;
};
const refusal = async (call: Promise<unknown>) =>
  errorOf(await call.catch((error: unknown) => error));

async function callTimes(limits: Limits, times: number, principal = ANN): Promise<number> {
  let passed = 0;
  for (let n = 0; n < times; n += 1) if ((await limits.call(principal)) === undefined) passed += 1;
  return passed;
}

describe.each(["in memory", "on Redis"])("%s", (where) => {
  const options = async (): Promise<{ connector?: Connector }> =>
    where === "in memory" ? {} : { connector: (await sharedRedis()).connector };

  /** Resolves once Redis is used. */
  async function opened(most: Partial<Most>, more: Partial<LimitsOptions> = {}): Promise<Limits> {
    const { connector } = await options();
    let client: Redis | undefined;
    const noting = connector && {
      ...connector,
      connect: () => (client = connector.connect() as Redis),
    };
    const limits = open(most, { ...more, connector: noting });
    if (noting !== undefined) await ready(() => client);
    return limits;
  }

  test("[R1] the last allowed call passes, the next does not, and it does after the time that it is told", async () => {
    const refused: [LimitName, string][] = [];
    const limits = await opened(
      { user_calls: 7 },
      { onRefused: (...each) => void refused.push(each) },
    );
    expect(await callTimes(limits, 7)).toBe(7);
    expect(limits.refusesCalls()).toBe(false);
    const error = errorOf(await limits.call(ANN));
    expect(error).toMatchObject({ code: "RATE_LIMITED" });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(error.retryAfterMs).toBeLessThanOrEqual(1000);
    expect(limits.refusesCalls()).toBe(true);
    expect((await limits.refusedCall(ANN))?.code).toBe("RATE_LIMITED");
    expect(refused[0]).toEqual(["user_calls", "acme/ann"]);
    // Other users have their own.
    expect(await callTimes(limits, 7, BOB)).toBe(7);
    expect(await callTimes(limits, 7, OTHER_ANN)).toBe(7);
    await vi.waitFor(async () => expect(await limits.call(ANN)).toBeUndefined());
    expect(limits.refusedCall(ANN)).toBeUndefined();
  });

  test("[R8] of many calls at once, some begin at once and the others in later turns", async () => {
    const limits = await opened({ user_calls: 1000 });
    await limits.call(ANN);
    // The first `setImmediate` may still come in the turn of that call.
    await nextTurn();
    await nextTurn();
    const calls = Array.from({ length: 20 }, () => limits.call(ANN));
    const waiting = calls.filter((call) => call instanceof Promise);
    expect(waiting).toHaveLength(20 - MAX_CALLS_AT_ONCE);
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => undefined));
  });

  test("[R8] a user that keeps calling is refused later, and others are not", async () => {
    const SLOW_MS = 200;
    const limits = await opened({ user_calls: 5 }, { windows: { calls: 60 }, slowMs: SLOW_MS });
    expect(await callTimes(limits, 305)).toBe(300);
    const told: number[] = [];
    for (const ask of [() => limits.call(ANN), () => limits.refusedCall(ANN)]) {
      const before = performance.now();
      const error = errorOf(await ask());
      expect(performance.now() - before).toBeGreaterThanOrEqual(SLOW_MS / 2 - 1);
      told.push(error.retryAfterMs ?? 0);
    }
    // The time that has passed counts.
    expect((told[0] ?? 0) - (told[1] ?? 0)).toBeGreaterThanOrEqual(SLOW_MS / 2 - 1);
    const slow = limits.refusedCall(ANN);
    expect(await limits.call(BOB)).toBeUndefined();
    expect(limits.refusedCall(BOB)).toBeUndefined();
    await slow;
  });

  test.each(["user_connections", "user_subscriptions"] as const)(
    "[R8] a user that keeps asking beyond %s is refused as one that keeps calling",
    async (name) => {
      const SLOW_MS = 200;
      const most = { user_calls: 5, [name]: 1 };
      const limits = await opened(most, { windows: { calls: 60 }, slowMs: SLOW_MS });
      await limits.openForUser(name, ANN);
      const ask = () => refusal(limits.openForUser(name, ANN));
      for (let n = 0; n < 300; n += 1) expect((await ask()).retryAfterMs).toBe(5000);
      for (let n = 0; n < 5; n += 1) expect((await ask()).message).toContain("calls a second");
      const before = performance.now();
      await ask();
      expect(performance.now() - before).toBeGreaterThanOrEqual(SLOW_MS / 2 - 1);
      expect(limits.refusesCalls()).toBe(true);
      // Others have their own.
      await limits.openForUser(name, BOB);
    },
  );

  test("[R8] at most 1,000 refusals wait; the next comes at once", async () => {
    const limits = await opened({ user_calls: 1 }, { windows: { calls: 3 }, slowMs: 500 });
    await callTimes(limits, 4);
    let answered = 0;
    const all = Array.from({ length: 1100 }, async () => {
      await limits.refusedCall(ANN);
      answered += 1;
    });
    await nextTurn();
    expect(answered).toBe(100);
    await Promise.all(all);
  });

  test("[R5] a batch that is known to be beyond the limit is refused without counting it", async () => {
    const limits = await opened({ tenant_created_jobs: 100 }, { windows: { createdJobs: 60 } });
    expect(limits.refusedJobs("acme", 1)).toBeUndefined();
    await limits.createJobs("acme", 100);
    await refusal(limits.createJobs("acme", 1));
    expect(limits.refusedJobs("acme", 1)?.code).toBe("RATE_LIMITED");
    // `createJobs` says why this one will never fit.
    expect(limits.refusedJobs("acme", 101)).toBeUndefined();
    expect(limits.refusedJobs("other", 1)).toBeUndefined();
  });

  test("[R1] calls that arrive together are counted as those that arrive in turn", async () => {
    const limits = await opened({ user_calls: 100 });
    const calls = await Promise.all(Array.from({ length: 250 }, async () => limits.call(ANN)));
    expect(calls.filter((error) => error === undefined)).toHaveLength(100);
  });

  test("[R5] a batch counts its jobs, one that does not fit takes none, and one that never fits says so", async () => {
    const limits = await opened({ tenant_created_jobs: 100 });
    await limits.createJobs("acme", 90);
    const error = await refusal(limits.createJobs("acme", 20));
    expect(error.code).toBe("RATE_LIMITED");
    await limits.createJobs("acme", 10);
    expect((await refusal(limits.createJobs("acme", 1))).code).toBe("RATE_LIMITED");
    await limits.createJobs("{other}/", 100);
    expect((await refusal(limits.createJobs("acme", 101))).code).toBe("BAD_REQUEST");
    await vi.waitFor(() => limits.createJobs("acme", 20));
  });

  test("[R1] something open counts until it is closed, once", async () => {
    const limits = await opened({ user_connections: 2, address_connections: 2 });
    const [first] = [await limits.openForUser("user_connections", ANN)];
    await limits.openForUser("user_connections", ANN);
    const error = await refusal(limits.openForUser("user_connections", ANN));
    expect(error).toMatchObject({ code: "RATE_LIMITED", retryAfterMs: 5000 });
    await limits.openForUser("user_connections", BOB);
    first();
    first();
    await limits.openForUser("user_connections", ANN);
    await refusal(limits.openForUser("user_connections", ANN));

    const one = limits.openForAddress("address_connections", "203.0.113.7") as Release;
    limits.openForAddress("address_connections", "203.0.113.7");
    errorOf(limits.openForAddress("address_connections", "203.0.113.7"));
    expect(limits.openForAddress("address_connections", "203.0.113.8")).toBeTypeOf("function");
    one();
    expect(limits.openForAddress("address_connections", "203.0.113.7")).toBeTypeOf("function");
  });

  test("[R1] what is opened together is counted as what is opened in turn", async () => {
    const limits = await opened({ user_subscriptions: 10 });
    const opening = Array.from({ length: 40 }, () =>
      limits.openForUser("user_subscriptions", ANN).then(
        () => true,
        () => false,
      ),
    );
    expect((await Promise.all(opening)).filter(Boolean)).toHaveLength(10);
  });

  test("[R1] a limit of 0 limits nothing", async () => {
    const limits = await opened({});
    expect(await callTimes(limits, 500)).toBe(500);
    await limits.createJobs("acme", 1_000_000);
    await limits.openForUser("user_connections", ANN);
    expect(await limits.failedSignIn("203.0.113.7")).toBeUndefined();
  });
});

async function openTwo(most: Partial<Most>) {
  const { redis, connector } = await sharedRedis();
  const clients: Redis[] = [];
  const connect = () => {
    const client = connector.connect() as Redis;
    clients.push(client);
    return client;
  };
  const [a, b] = [
    open(most, { connector: { ...connector, connect } }),
    open(most, { connector: { ...connector, connect } }),
  ];
  for (const client of clients) await ready(() => client);
  return { redis, clients, a, b };
}

describe("[R4] processes that share a Redis", () => {
  test("count calls, created jobs and failed sign-ins together", async () => {
    const { a, b } = await openTwo({
      user_calls: 10,
      tenant_created_jobs: 10,
      address_failed_sign_ins: 10,
    });
    expect((await callTimes(a, 6)) + (await callTimes(b, 6))).toBe(10);
    await a.createJobs("acme", 6);
    await refusal(b.createJobs("acme", 6));
    for (let n = 0; n < 6; n += 1) await a.failedSignIn("203.0.113.7");
    const answers = [];
    for (let n = 0; n < 6; n += 1) answers.push(await b.failedSignIn("203.0.113.7"));
    expect(answers.filter((error) => error !== undefined)).toHaveLength(2);
  });

  test("count what is open together, and what one of them closes no more", async () => {
    const { a, b } = await openTwo({ user_connections: 3, address_connections: 3 });
    const first = await a.openForUser("user_connections", ANN);
    await a.openForUser("user_connections", ANN);
    await b.openForUser("user_connections", ANN);
    await refusal(b.openForUser("user_connections", ANN));
    await refusal(a.openForUser("user_connections", ANN));
    first();
    // The other one learns of it with the next heartbeat, or as soon as this one opens another.
    await a.openForUser("user_connections", BOB);
    await vi.waitFor(async () =>
      expect(await b.openForUser("user_connections", ANN)).toBeTypeOf("function"),
    );

    for (let n = 0; n < 3; n += 1) a.openForAddress("address_connections", "203.0.113.7");
    await vi.waitFor(() => errorOf(b.openForAddress("address_connections", "203.0.113.7")));
  });

  test("of two that open the last one at the same time, at most one gets it", async () => {
    const { a, b } = await openTwo({ user_connections: 1 });
    for (let round = 0; round < 20; round += 1) {
      const user = { ...ANN, userId: `user ${round}` };
      const got = await Promise.allSettled(
        [a, b].map((each) => each.openForUser("user_connections", user)),
      );
      expect(got.filter(({ status }) => status === "fulfilled").length).toBeLessThanOrEqual(1);
    }
  });

  test("do not count what a process had open that was closed or killed", async () => {
    const { a, b, redis } = await openTwo({ user_connections: 1 });
    await a.openForUser("user_connections", ANN);
    await refusal(b.openForUser("user_connections", ANN));
    const [published] = await redis.client.keys("jobwire:limits:open:*");
    // Its lease, which no heartbeat renews after its death, ends by itself.
    expect(await redis.client.pttl(published ?? "")).toBeGreaterThan(0);
    await a.close();
    await vi.waitFor(() => b.openForUser("user_connections", ANN));
  });

  test("keep one key for each counter, all below the server's prefix", async () => {
    const { a, redis } = await openTwo({ user_calls: 10, user_connections: 10 });
    await a.call(OTHER_ANN);
    await a.openForUser("user_connections", OTHER_ANN);
    const keys = await redis.client.keys("*");
    expect(keys.every((key) => key.startsWith("jobwire:limits:"))).toBe(true);
    expect(keys.join(" ")).not.toMatch(/[{}]/);
  });

  test.each(["killed", "paused"] as const)(
    "each count for themselves while it is %s, without waiting for it, and together again afterwards",
    async (how) => {
      const { a, b, redis, clients } = await openTwo({ user_calls: 5, user_connections: 2 });
      if (how === "killed") await redis.kill();
      else redis.pause();
      for (const limits of [a, b]) {
        expect(await callTimes(limits, 20)).toBeLessThanOrEqual(10);
        await vi.waitFor(async () => expect(await limits.call(ANN)).toBeUndefined());
        await limits.openForUser("user_connections", ANN);
        await limits.openForUser("user_connections", ANN);
        await refusal(limits.openForUser("user_connections", ANN));
      }
      if (how === "killed") await redis.start();
      else redis.resume();
      for (const client of clients) await ready(() => client);
      await vi.waitFor(async () => {
        const user = { ...ANN, userId: crypto.randomUUID() };
        const passed = (await callTimes(a, 5, user)) + (await callTimes(b, 5, user));
        expect(passed).toBe(5);
      });
    },
  );
});

import { SignJWT } from "jose";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { createJobwireClient } from "#client/lib/client.ts";
import { defineKind, Transient } from "#server/kinds/define.ts";
import type { JobwireOptions } from "#server/jobwire.ts";
import { runKind, startTestJobwire } from "./index.ts";
import { createTestClock } from "./test-clock.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const me = { userId: "ann", tenantId: "shop", scopes: ["*"] };

const busy = defineKind({
  name: "busy",
  input: z.object({ failures: z.int(), retryAfterMs: z.int().optional() }),
  output: z.object({ attempts: z.int() }),
  async run({ input: { failures, retryAfterMs }, attempt }) {
    if (attempt <= failures) throw new Transient("BUSY", "Later.", { retryAfterMs });
    return { attempts: attempt };
  },
});

/** A kind whose code runs until the test opens its gate. */
function gated() {
  const gate = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const kind = defineKind({
    name: "gated",
    input: z.null(),
    output: z.null(),
    async run() {
      began.resolve();
      await gate.promise;
      return null;
    },
  });
  return { kind, began: began.promise, open: gate.resolve };
}

async function start<const Kinds extends JobwireOptions["kinds"]>(
  options: JobwireOptions<Kinds, never>,
) {
  const started = await startTestJobwire<Kinds>(options);
  onTestFinished(started.close);
  return started;
}

function openClock() {
  const clock = createTestClock(0);
  const calls: string[] = [];
  const note = (name: string) => () => void calls.push(`${name} ${clock.steady()}`);
  return { clock, calls, note };
}

describe("timers", () => {
  test("call back in the order of their times, also those that are set meanwhile", async () => {
    const { clock, calls, note } = openClock();
    clock.after(300, note("late"));
    clock.after(100, () => {
      note("early")();
      clock.after(50, note("next"));
      clock.after(500, note("never"));
    });
    clock.after(200, note("cancelled"))();
    await clock.advance(400);
    expect(calls).toEqual(["early 100", "next 150", "late 300"]);
    expect(clock.now()).toEqual(new Date(400));
  });

  test("of repeated work call back once in a stretch in which no job runs", async () => {
    const { clock, calls, note } = openClock();
    clock.every(10, note("again"));
    clock.after(25, note("once"));
    await clock.advance(30 * DAY_MS + 5);
    expect(calls).toEqual(["again 20", "once 25", `again ${30 * DAY_MS}`]);
  });

  test("of repeated work call back each time while a job runs, and before what is due then", async () => {
    const { clock, calls, note } = openClock();
    const code = Promise.withResolvers<void>();
    clock.hold(code.promise, "attempt");
    clock.after(20, note("lease"));
    clock.every(10, note("renewal"));
    await clock.advance(30, { whileRunning: true });
    expect(calls).toEqual(["renewal 10", "renewal 20", "lease 20", "renewal 30"]);
    code.resolve();
  });

  test("wait for the work of those before, and for the advance before", async () => {
    const { clock, calls, note } = openClock();
    const work = Promise.withResolvers<void>();
    clock.after(10, () => clock.hold(work.promise.then(note("work"))));
    clock.after(20, note("after"));
    const both = [clock.advance(15), clock.advance(15)];
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(clock.steady()).toBe(10);
    work.resolve();
    await Promise.all(both);
    expect(calls).toEqual(["work 10", "after 20"]);
    expect(clock.steady()).toBe(30);
  });

  test("go on after one that threw", async () => {
    const { clock, calls, note } = openClock();
    clock.after(10, () => {
      throw new Error("broken");
    });
    clock.after(20, note("after"));
    await expect(clock.advance(30)).rejects.toThrow("broken");
    await clock.advance(30);
    expect(calls).toEqual(["after 20"]);
  });

  test.each([-1, NaN, Infinity])("cannot advance by %s ms", async (ms) => {
    await expect(openClock().clock.advance(ms)).rejects.toThrow(RangeError);
  });
});

test("a test that waits for running code is told so", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
  onTestFinished(() => warn.mockRestore());
  const clock = createTestClock();
  const code = Promise.withResolvers<void>();
  clock.hold(code.promise, "attempt");
  const advanced = clock.advance(1);
  await vi.advanceTimersByTimeAsync(3000);
  expect(warn.mock.calls[0]?.[0]).toContain("{ whileRunning: true }");
  code.resolve();
  await advanced;
});

describe("runKind", () => {
  test("settles at once however often a kind fails, and counts its attempts", async () => {
    const { job, events } = await runKind(busy, { failures: 3 }, { maxAttempts: 4 });
    expect(job).toMatchObject({ status: "DELIVERED", attempt: 4, output: { attempts: 4 } });
    const waits = events
      .filter(({ type }) => type === "retrying")
      .map(({ seq, at }) => (events[seq]?.at.getTime() ?? 0) - at.getTime());
    for (const [index, least] of [500, 1000, 2000].entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(least);
      expect(waits[index]).toBeLessThanOrEqual(2 * least);
    }
    expect(waits).toHaveLength(3);
  });

  test("skips the time that a failure asks for, and ends after the last attempt", async () => {
    const input = { failures: 3, retryAfterMs: HOUR_MS };
    const { job, events } = await runKind(busy, input, { maxAttempts: 3 });
    expect(job).toMatchObject({ status: "ABORTED", attempt: 3, error: { code: "BUSY" } });
    const [first, last] = [events.at(0)?.at, events.at(-1)?.at];
    expect((last?.getTime() ?? 0) - (first?.getTime() ?? 0)).toBe(2 * HOUR_MS);
  });
});

describe("startTestJobwire", () => {
  test("passes through all retries of a job in one advance, and through none before", async () => {
    const { jobwire, clock } = await start({ kinds: [busy], env: { MAX_ATTEMPTS: "10" } });
    const { id } = await jobwire.kinds.busy.create(me, { failures: 9 });
    await clock.advance(499);
    const waiting = await jobwire.kinds.busy.get(me, id);
    expect(waiting).toMatchObject({ status: "PENDING", attempt: 1 });
    await clock.advance(HOUR_MS);
    expect(await jobwire.kinds.busy.get(me, id)).toMatchObject({
      status: "DELIVERED",
      attempt: 10,
    });
  });

  test("goes through the retries of more jobs than run at a time", async () => {
    const { jobwire, clock } = await start({ kinds: [busy], env: { CONCURRENCY: "2" } });
    const created = await Promise.all(
      Array.from({ length: 20 }, () => jobwire.kinds.busy.create(me, { failures: 2 })),
    );
    await clock.advance(MINUTE_MS);
    for (const { id } of created) {
      expect(await jobwire.kinds.busy.get(me, id)).toMatchObject({
        status: "DELIVERED",
        attempt: 3,
      });
    }
  });

  test("[J21] [J22] starts jobs at their time, and ends those that all runners are too busy for", async () => {
    const { kind, began, open } = gated();
    const env = { CONCURRENCY: "1" };
    const { jobwire, clock } = await start({ kinds: [kind, busy], env });
    const delayed = { delayMs: HOUR_MS };
    const { id } = await jobwire.kinds.busy.create(me, { failures: 0 }, delayed);
    await clock.advance(HOUR_MS - 1);
    expect(await jobwire.kinds.busy.get(me, id)).toMatchObject({ status: "PENDING", attempt: 0 });
    await clock.advance(1);
    expect(await jobwire.kinds.busy.get(me, id)).toMatchObject({ status: "DELIVERED" });

    await jobwire.kinds.gated.create(me, null);
    await began;
    const expiring = { expiresInMs: MINUTE_MS };
    const { id: late } = await jobwire.kinds.busy.create(me, { failures: 0 }, expiring);
    await clock.advance(MINUTE_MS, { whileRunning: true });
    await vi.waitFor(async () =>
      expect(await jobwire.kinds.busy.get(me, late)).toMatchObject({
        status: "ABORTED",
        error: { code: "EXPIRED" },
      }),
    );
    open();
  });

  test("deletes old jobs when their time has come", async () => {
    const { jobwire, clock } = await start({ kinds: [busy], env: { RETENTION_DAYS: "7" } });
    const { id } = await jobwire.kinds.busy.create(me, { failures: 0 });
    await clock.advance(7 * DAY_MS - HOUR_MS);
    expect(await jobwire.kinds.busy.get(me, id)).toMatchObject({ status: "DELIVERED" });
    await clock.advance(3 * HOUR_MS);
    await expect(jobwire.kinds.busy.get(me, id)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("renews the leases of code that runs for longer than they last", async () => {
    const { kind, began, open } = gated();
    const { jobwire, clock } = await start({ kinds: [kind] });
    const { id } = await jobwire.kinds.gated.create(me, null);
    await began;
    await clock.advance(10 * MINUTE_MS, { whileRunning: true });
    expect(await jobwire.kinds.gated.get(me, id)).toMatchObject({ status: "PROCESSING" });
    open();
    await clock.advance(0);
    expect(await jobwire.kinds.gated.get(me, id)).toMatchObject({
      status: "DELIVERED",
      attempt: 1,
    });
  });

  test("stands while code runs, and moves nothing of the process", async () => {
    const { kind, began, open } = gated();
    const { jobwire, clock } = await start({ kinds: [kind] });
    const [begin, real] = [clock.now().getTime(), Date.now()];
    await jobwire.kinds.gated.create(me, null);
    await began;
    const advanced = clock.advance(DAY_MS);
    await new Promise(setImmediate);
    expect(clock.now().getTime()).toBe(begin);
    open();
    await advanced;
    expect(clock.now().getTime()).toBe(begin + DAY_MS);
    expect(Date.now() - real).toBeLessThan(HOUR_MS);
  });

  test("[P5] ends the watch of a client whose token ends, which comes back with a new one", async () => {
    const { kind, began, open } = gated();
    const secret = "a secret of the tests that is long enough";
    const { jobwire, url, clock } = await start({
      kinds: [kind],
      env: { AUTH_JWT_SECRET: secret, AUTH_TENANT_CLAIM: "tenant" },
    });
    const ends: number[] = [];
    async function getToken() {
      const seconds = Math.floor(clock.now().getTime() / 1000);
      ends.push((seconds + 60) * 1000);
      return new SignJWT({ sub: me.userId, tenant: me.tenantId, scope: "jobs:read" })
        .setProtectedHeader({ alg: "HS256" })
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + 60)
        .sign(new TextEncoder().encode(secret));
    }
    const client = createJobwireClient({ url, getToken });
    onTestFinished(() => client.close());
    const { id } = await jobwire.kinds.gated.create(me, null);
    await began;
    const events = client.job(id).events({ lastEventId: "0" });
    expect((await events.next()).value).toMatchObject({ seq: 1 });
    expect((await events.next()).value).toMatchObject({ seq: 2 });
    expect(ends).toHaveLength(1);
    await clock.advance(HOUR_MS, { whileRunning: true });
    // It may come back in the middle of the hour, and need a third one.
    await vi.waitFor(() => expect(ends.length).toBeGreaterThan(1));
    open();
    expect((await events.next()).value).toMatchObject({ seq: 3, status: "DELIVERED" });
  });

  test("refuses a Redis, whose time it cannot move", async () => {
    const options = { kinds: [busy], env: { REDIS_URL: "redis://127.0.0.1:6379" } };
    await expect(startTestJobwire(options)).rejects.toThrow("Leave REDIS_URL out");
  });
});

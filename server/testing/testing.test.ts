import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { createJobwireClient } from "#client/lib/client.ts";
import { blocked, defineKind, Failure, Transient } from "#server/kinds/define.ts";
import { createFaultProxy, runKind, startTestJobwire } from "./index.ts";

const count = defineKind({
  name: "count",
  input: z.object({ to: z.int() }),
  details: z.object({ done: z.int() }),
  output: z.object({ sum: z.int() }),
  async run({ input: { to }, progress, draft, log, attempt }) {
    log("debug", `Counting to ${to}`);
    if (to < 0) throw new Failure("NEGATIVE", "Count up.");
    if (to === 0 && attempt === 1) throw new Transient("BUSY", "Later.");
    if (to === 13) return { sum: "many" } as never;
    for (let done = 1; done <= to; done += 1) {
      await progress((100 * done) / to, `Step ${done}`, { done });
      await draft(`${done} `);
    }
    return to > 100 ? blocked("Too many", { sum: to }) : { sum: to };
  },
});
const waits = defineKind({
  name: "waits",
  input: z.null(),
  output: z.null(),
  async run({ signal, progress }) {
    await progress(1, "Waiting");
    await wait(3_600_000, undefined, { signal });
    return null;
  },
});

describe("runKind", () => {
  test("[J20] gives the job, its log, its draft and its log lines, typed", async () => {
    const { job, events, draft, logs } = await runKind(count, { to: 3 });
    expect(job.status).toBe("DELIVERED");
    expect(job.output?.sum).toBe(3);
    expect(events.map(({ details }) => details?.done).filter((done) => done !== undefined)).toEqual(
      [1, 2, 3, 3],
    );
    expect(draft).toBe("1 2 3 ");
    expect(logs).toMatchObject([{ attempt: 1, level: "debug", message: "Counting to 3" }]);
    // @ts-expect-error: a field has another type
    await expect(runKind(count, { to: "3" })).rejects.toMatchObject({ code: "BAD_REQUEST" });
    const elsewhere = defineKind({ name: "elsewhere", input: z.object({}), output: z.null() });
    await expect(runKind(elsewhere, {})).rejects.toThrow('"elsewhere" has no `run`');
  });

  test("checks as a server does", async () => {
    expect((await runKind(count, { to: 101 })).job).toMatchObject({
      status: "BLOCKED",
      message: "Too many",
    });
    expect((await runKind(count, { to: -1 })).job.error).toMatchObject({ code: "NEGATIVE" });
    expect((await runKind(count, { to: 13 })).job).toMatchObject({
      status: "ABORTED",
      error: { message: expect.stringContaining("sum") as string },
    });
  });

  test("repeats a transient failure only where it may", async () => {
    expect((await runKind(count, { to: 0 })).job.error).toMatchObject({ code: "BUSY" });
    expect((await runKind(count, { to: 0 }, { maxAttempts: 2 })).job.status).toBe("DELIVERED");
  });

  test("cancels when its signal aborts", async () => {
    const leaving = new AbortController();
    const running = runKind(waits, null, { signal: leaving.signal });
    leaving.abort();
    expect((await running).job.error).toMatchObject({ code: "CANCELLED" });
  });
});

describe("a fault proxy", () => {
  test("breaks, holds and delays what a client still receives whole, in order", async () => {
    const { url, close } = await startTestJobwire({ kinds: [count, waits] });
    onTestFinished(close);
    const proxy = await createFaultProxy(url);
    onTestFinished(() => proxy.close());
    const client = createJobwireClient({ url: proxy.url });
    onTestFinished(() => client.close());
    const direct = createJobwireClient({ url });
    onTestFinished(() => direct.close());

    const { id } = await direct.trpc.job.create.mutate({ kind: "waits", input: null });
    const events = client.job(id).events({ lastEventId: "0", follow: true });
    const seen: number[] = [];
    const take = async () => seen.push((await events.next()).value?.seq ?? 0);
    while (seen.length < 3) await take();
    proxy.cut();
    await direct.trpc.job.cancel.mutate({ jobId: id });
    await take();
    proxy.stall();
    await direct.trpc.job.retry.mutate({ jobId: id });
    const next = take();
    proxy.delay(20);
    proxy.resume();
    await next;
    proxy.down();
    await vi.waitUntil(() => proxy.open() === 0);
    await direct.trpc.job.cancel.mutate({ jobId: id });
    proxy.up();
    const log = await direct.trpc.job.events.query({ jobId: id });
    while ((seen.at(-1) ?? 0) < (log.items.at(-1)?.seq ?? 0)) await take();
    expect(seen).toEqual(seen.map((_, index) => index + 1));
    await events.return?.();
  });
});

test("[E11] [E12] [Q8] time limits, and the days for which jobs of a kind are kept, pass with the clock of a test", async () => {
  const slow = { ...waits, timeLimitMs: 7_200_000, retentionDays: 3 };
  const { jobwire, clock, close } = await startTestJobwire({
    kinds: [slow],
    env: { RETENTION_DAYS: "0" },
  });
  onTestFinished(close);
  const me = { userId: "ann", tenantId: "shop", scopes: ["*"] };
  const { id } = await jobwire.kinds.waits.create(me, null);
  const job = () => jobwire.jobs.get(me, id);
  await vi.waitFor(async () => expect((await job()).progress).toBe(1));
  expect(await jobwire.jobs.waiting(me, id)).toBeNull();
  await clock.advance(7_199_999, { whileRunning: true });
  expect(await job()).toMatchObject({ status: "PROCESSING", attempt: 1 });
  await clock.advance(1, { whileRunning: true });
  await vi.waitFor(async () =>
    expect(await job()).toMatchObject({
      status: "ABORTED",
      error: {
        code: "TIME_LIMIT",
        message: 'It took longer than 7,200 s, the time limit of "waits"',
      },
    }),
  );
  await clock.advance(2 * 86_400_000);
  expect((await job()).status).toBe("ABORTED");
  await clock.advance(86_400_000 + 3_600_000);
  await expect(job()).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("[K9] schedules fire as the clock of a test advances, and their inputs have the kinds' types", async () => {
  const greet = defineKind({
    name: "greet",
    input: z.object({ name: z.string() }),
    output: z.string(),
    schedules: [{ key: "daily", cron: "0 9 * * *", input: { name: "all" } }],
    run: async ({ input: { name } }) => `Hello ${name}`,
  });
  const { jobwire, clock, close } = await startTestJobwire({ kinds: [greet] });
  onTestFinished(close);
  const me = { userId: "local", tenantId: "local", scopes: ["jobs:read", "jobs:write"] };
  await clock.advance(2 * 86_400_000);
  const { items } = await jobwire.kinds.greet.list(me);
  expect(items.map(({ status, title }) => [status, title])).toEqual([
    ["DELIVERED", "greet"],
    ["DELIVERED", "greet"],
  ]);
  const weekly = { key: "weekly", everyMs: 7 * 86_400_000, title: "Weekly" };
  const { id } = await jobwire.schedules.upsert(me, {
    ...weekly,
    kind: "greet",
    input: { name: "you" },
  });
  expect((await jobwire.schedules.trigger(me, id)).title).toBe("Weekly");
  const { items: all } = await jobwire.schedules.list(me);
  expect(all.map(({ key }) => key)).toEqual(["weekly", "daily"]);
  expect(await jobwire.schedules.pause(me, id)).toMatchObject({ nextAt: null });
  expect((await jobwire.schedules.resume(me, id)).nextAt).not.toBeNull();
  await jobwire.schedules.delete(me, id);
  await expect(jobwire.schedules.get(me, id)).rejects.toMatchObject({ code: "NOT_FOUND" });
  const wrong = { ...weekly, kind: "greet", input: { name: 5 } } as const;
  // @ts-expect-error: a field has another type
  await expect(jobwire.schedules.upsert(me, wrong)).rejects.toMatchObject({ code: "BAD_REQUEST" });
});

test.each([
  [undefined, { tenant: "acme", owner: "system" }],
  [
    { tenant: "bakery", user: "robot" },
    { tenant: "bakery", owner: "robot" },
  ],
])(
  "[K7] [K9] where callers sign in, schedules of kinds with the owner %j belong to %j",
  async (scheduleOwner, owner) => {
    const nightly = defineKind({
      name: "nightly",
      input: z.null(),
      output: z.null(),
      schedules: [{ key: "nightly", cron: "0 3 * * *", input: null }],
      run: async () => null,
    });
    const { jobwire, clock, close } = await startTestJobwire({
      kinds: [nightly],
      scheduleOwner,
      env: { AUTH_JWT_SECRET: "x".repeat(32), AUTH_DEFAULT_TENANT: "acme" },
    });
    onTestFinished(close);
    const boss = { userId: "boss", tenantId: owner.tenant, scopes: ["jobs:read", "tenant"] };
    await clock.advance(86_400_000);
    const { items } = await jobwire.schedules.list(boss, { allOwners: true });
    expect(items).toMatchObject([{ key: "nightly", declared: true, ...owner }]);
    const jobs = await jobwire.jobs.list(boss, { allOwners: true });
    expect(jobs.items).toMatchObject([owner]);
  },
);

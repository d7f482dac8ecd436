import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { defineKind, Transient } from "#server/kinds/define.ts";
import { me } from "#test/jobs/acting.ts";
import { DONE, eventually, openJobsFixture, type JobsFixture } from "#test/jobs/jobs.fixture.ts";

const input = z.object({ name: z.string().default("it"), customer: z.string().optional() });
const key = ({ customer }: { customer?: string | undefined }) => customer;

let fixture: JobsFixture;
/** Ends a running job. */
let end: Map<string, () => void>;

beforeEach(async () => {
  end = new Map();
  fixture = await openJobsFixture([
    defineKind({
      name: "mail",
      input,
      output: z.null(),
      concurrency: [3, { limit: 1, key, keyName: "customer" }],
      retry: { backoff: { firstMs: 60_000, jitter: 0 } },
      async run({ input: { name } }) {
        await new Promise<void>((resolve) => end.set(name, resolve));
        if (name === "fails") throw new Transient("BUSY", "Busy");
        return null;
      },
    }),
    defineKind({
      name: "rated",
      input,
      output: z.null(),
      rateLimit: { limit: 1, perMs: 60_000, key },
      run: async () => null,
    }),
  ]);
  fixture.run = async () => DONE;
});
afterEach(async () => {
  end.forEach((each) => each());
  await fixture.close();
});

const create = async (kind: string, name: string, customer?: string) =>
  (await fixture.jobs.create(me, { kind, input: { name, customer } })).id;
const why = (jobId: string) => fixture.jobs.waiting(me, jobId);
const runs = (...names: string[]) =>
  eventually(() => expect([...end.keys()].toSorted()).toEqual(names.toSorted()));

test("[Q8] [E10] a job that is held back by a limit says so until it starts, and starts when it may", async () => {
  const first = await create("mail", "a1", "a");
  expect(await why(first)).toEqual({
    reason: "queued",
    ahead: 0,
    message: "It starts when a worker is free",
  });
  fixture.startRunner({ concurrency: 9 });
  await runs("a1");
  expect(await why(first)).toBeNull();

  const [second, third] = [await create("mail", "a2", "a"), await create("mail", "a3", "a")];
  expect(await why(second)).toEqual({
    reason: "concurrency",
    of: "key",
    key: "a",
    keyName: "customer",
    limit: 1,
    ahead: 0,
    message: "It waits for another job of customer a",
  });
  expect(await why(third)).toMatchObject({
    ahead: 1,
    message: "It waits for another job of customer a, and 1 job is before it",
  });
  // Those of another key, and without one, start beside it.
  await create("mail", "b1", "b");
  await create("mail", "none");
  await runs("a1", "b1", "none");
  const fourth = await create("mail", "c1", "c");
  expect(await why(fourth)).toMatchObject({ reason: "concurrency", of: "kind", limit: 3 });

  end.get("a1")?.();
  await fixture.reaches(first, "DELIVERED");
  await eventually(() => expect(end.has("a2")).toBe(true));
  expect(end.has("a3")).toBe(false);
});

test("[Q8] a job that waits for a time says for how long", async () => {
  fixture.startRunner();
  const failing = await create("mail", "fails");
  await runs("fails");
  end.get("fails")?.();
  await eventually(async () => expect((await fixture.job(failing)).retries).toBe(1));
  fixture.advance(20_000);
  expect(await why(failing)).toEqual({
    reason: "delayed",
    startsInMs: 40_000,
    ahead: 0,
    message: "It starts in 40 s",
  });

  await fixture.reaches(await create("rated", "r1", "a"), "DELIVERED");
  await fixture.reaches(await create("rated", "r2", "b"), "DELIVERED");
  const limited = await create("rated", "r3", "a");
  fixture.advance(1000);
  expect(await why(limited)).toEqual({
    reason: "rate",
    of: "key",
    key: "a",
    startsInMs: 59_000,
    ahead: 0,
    message: "The next one of its key may start in 59 s",
  });
  fixture.advance(59_000);
  await fixture.reaches(limited, "DELIVERED");
  expect(await why(limited)).toBeNull();
});

test("[J9] [Q8] a job of another owner, and one that does not exist, does not wait", async () => {
  const jobId = await create("mail", "a1");
  for (const [who, id] of [
    [{ ...me, userId: "other" }, jobId],
    [{ ...me, tenantId: "other" }, jobId],
    [me, "0198f1a2-0000-7000-8000-000000000000"],
  ] as const) {
    await expect(fixture.jobs.waiting(who, id)).rejects.toMatchObject({ code: "NOT_FOUND" });
  }
});

test("[O8] a job that waits for the end of a pause says so", async () => {
  const jobId = await create("mail", "a1");
  const by = { user: "op", via: "key" } as const;
  const pause = { tenant: me.tenantId, at: new Date(), note: "", by };
  await fixture.engine.pauses.set({ ...pause, tenant: `not ${me.tenantId}` });
  await fixture.engine.pauses.set({ ...pause, kind: "another kind" });
  expect(await why(jobId)).toMatchObject({ message: "It starts when a worker is free" });
  await fixture.engine.pauses.set(pause);
  expect(await why(jobId)).toMatchObject({ message: "The jobs of its tenant are paused" });
  await fixture.engine.pauses.remove(pause);
  expect(await why(jobId)).toMatchObject({ message: "It starts when a worker is free" });
});

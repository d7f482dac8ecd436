import { onTestFinished, describe, expect, test } from "vitest";
import { z } from "zod";
import { assignSchedules } from "#server/auth/assign-schedules.ts";
import type { Engine } from "#server/engine/contract.ts";
import type { Jobs } from "#server/jobs/jobs.ts";
import { defineKind } from "#server/kinds/define.ts";
import { AppError } from "#shared/errors.ts";
import { ownerOf } from "#shared/principal.ts";
import { me } from "#test/jobs/acting.ts";
import {
  type FixtureOptions,
  openSchedulesFixture,
  report,
  type SchedulesFixture,
} from "#test/schedules/schedules.fixture.ts";
import { createScheduleChanges } from "./changes.ts";
import type { ScheduleRequest } from "./inputs.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const lost = () => Promise.reject(new AppError("UNAVAILABLE", "The process died."));
const quotaError = () => new AppError("RATE_LIMITED", "Two jobs wait, the limit.");

async function open(start: string, options?: FixtureOptions): Promise<SchedulesFixture> {
  const fixture = await openSchedulesFixture(start, options);
  onTestFinished(() => fixture.close());
  return fixture;
}

const NIGHTLY: ScheduleRequest = {
  key: "nightly",
  kind: "report",
  input: { to: "ann" },
  when: { cron: "0 3 * * *", timeZone: "Europe/Stockholm" },
};
const every = (everyMs: number, given: Partial<ScheduleRequest> = {}): ScheduleRequest => ({
  key: "often",
  kind: "report",
  input: {},
  when: { everyMs },
  ...given,
});

async function upsert({ schedules }: SchedulesFixture, request: ScheduleRequest): Promise<string> {
  return (await schedules.commands.upsert(me, request)).id;
}
const record = ({ schedules }: SchedulesFixture, id: string) => schedules.commands.get(me, id);

describe("[K3] firings", () => {
  test("[K6] [K11] a schedule creates a job at each of its times, for its owner, and both name each other", async () => {
    const fixture = await open("2027-03-26T12:00:00Z");
    const id = await upsert(fixture, { ...NIGHTLY, title: "The nightly one" });
    await fixture.advance(2 * DAY_MS);
    const jobs = await fixture.jobs();
    // 03:00 in winter, then in summer.
    expect(jobs.map(({ createdAt }) => createdAt.toISOString())).toEqual([
      "2027-03-28T01:00:00.000Z",
      "2027-03-27T02:00:00.000Z",
    ]);
    const [newest] = jobs;
    expect(newest).toMatchObject({
      kind: "report",
      title: "The nightly one",
      owner: "local",
      scheduleId: id,
    });
    const query = { tenant: "local", scheduleId: id, limit: 9 };
    expect((await fixture.engine.listJobs(query)).items).toEqual(jobs);
    const { events } = (await fixture.engine.readEvents(newest?.id ?? "", 0, 1)) ?? {};
    expect(events?.[0]?.actor).toEqual({ user: "local", via: "schedule", scheduleId: id });
    expect(await record(fixture, id)).toMatchObject({
      lastJobId: newest?.id,
      lastAt: new Date("2027-03-28T01:00:00Z"),
      nextAt: new Date("2027-03-29T01:00:00Z"),
      lastError: null,
      lastMissed: null,
    });
    expect(fixture.results).toEqual(["fired", "fired"]);
    expect(fixture.lags).toEqual([0, 0]);
    // A firing is no command of a caller.
    const audit = await fixture.engine.audit.list({ tenant: "local", limit: 9 });
    expect(audit.items.map(({ action }) => action)).toEqual(["schedule.upsert"]);
  });

  test("[K10] its jobs have its options, also those by hand and those for times that were missed, else those of their kind", async () => {
    const kinds = [{ ...report, name: "urgent", priority: 4 }];
    const fixture = await open("2027-01-01T00:00:00Z", { kinds });
    const of = { kind: "urgent", input: {}, when: { everyMs: HOUR_MS } };
    const options = { priority: 0, expiresInMs: DAY_MS, maxAttempts: 2 };
    const id = await upsert(fixture, { ...of, ...options, key: "given" });
    await fixture.schedules.commands.trigger(me, id);
    await fixture.advance(HOUR_MS);
    await fixture.restart(5.5 * HOUR_MS);
    const jobs = await fixture.jobs();
    expect(jobs).toHaveLength(3);
    for (const { createdAt, expiresAt, priority, maxAttempts } of jobs) {
      expect({ priority, maxAttempts }).toEqual({ priority: 0, maxAttempts: 2 });
      expect((expiresAt?.getTime() ?? 0) - createdAt.getTime()).toBe(DAY_MS);
    }
    const plain = await upsert(fixture, { ...of, key: "plain" });
    const job = await fixture.schedules.commands.trigger(me, plain);
    expect(job).toMatchObject({ priority: 4, expiresAt: null, maxAttempts: null });
  });

  test("a schedule that gets another kind and input while it fires never mixes the two", async () => {
    const letter = defineKind({
      name: "letter",
      input: z.object({ from: z.string() }),
      output: z.null(),
      run: async () => null,
    });
    let between: (() => Promise<void>) | undefined;
    const fixture = await open("2027-01-01T00:00:00Z", {
      kinds: [report, letter],
      wrap: (engine, jobs) => ({
        jobs,
        engine: {
          ...engine,
          schedules: {
            ...engine.schedules,
            async take(request) {
              const found = await engine.schedules.take(request);
              if (found.taken.length > 0) await between?.();
              return found;
            },
          },
        },
      }),
    });
    await upsert(fixture, every(HOUR_MS));
    between = async () => {
      between = undefined;
      await upsert(fixture, every(HOUR_MS, { kind: "letter", input: { from: "bob" } }));
    };
    await fixture.advance(HOUR_MS);
    expect((await fixture.jobs()).map(({ kind }) => kind)).toEqual(["letter"]);
    expect(fixture.results).toEqual(["fired"]);
  });

  test("[K12] a schedule that is given to another owner while it fires stays until it has fired, once", async () => {
    const store = () => fixture.engine.schedules;
    const to = { tenant: "local", owner: "ann" };
    let assigned: unknown;
    const assign = () =>
      assignSchedules(store(), { from: ownerOf(me), to, now: () => fixture.clock.now() });
    const fixture = await open("2027-01-01T00:00:00Z", {
      wrap: (engine, jobs) => ({
        engine,
        jobs: {
          ...jobs,
          async createScheduled(...args) {
            assigned ??= await assign();
            return jobs.createScheduled(...args);
          },
        },
      }),
    });
    const id = await upsert(fixture, every(HOUR_MS));
    await fixture.advance(HOUR_MS);
    expect(assigned).toEqual({ moved: 0, left: [{ id, key: "often", why: "busy" }] });
    expect(await assign()).toEqual({ moved: 1, left: [] });
    await fixture.advance(HOUR_MS);
    expect((await fixture.jobs()).map(({ owner }) => owner)).toEqual(["ann", "local"]);
  });

  test("one time fires once, and the schedule stays without another", async () => {
    const fixture = await open("2027-01-01T00:00:00Z");
    const at = new Date("2027-01-01T09:00:00Z");
    const id = await upsert(fixture, { ...NIGHTLY, when: { at } });
    await fixture.advance(DAY_MS);
    expect((await fixture.jobs()).map(({ createdAt }) => createdAt)).toEqual([at]);
    expect(await record(fixture, id)).toMatchObject({ nextAt: null, lastAt: at, upcoming: [] });
    // The same again is no new one.
    await upsert(fixture, { ...NIGHTLY, when: { at } });
    await fixture.advance(DAY_MS);
    expect(await fixture.jobs()).toHaveLength(1);
  });

  /** The process dies at this call of the engine: it is made or not, and is never answered. */
  const DEATHS: [
    when: string,
    wrap: (engine: Engine, jobs: Jobs, dies: () => boolean) => object,
  ][] = [
    [
      "before the job is stored",
      (_engine, jobs, dies) => ({
        jobs: {
          ...jobs,
          createScheduled: (...args: Parameters<Jobs["createScheduled"]>) =>
            dies() ? lost() : jobs.createScheduled(...args),
        },
      }),
    ],
    [
      "after the job is stored",
      (_engine, jobs, dies) => ({
        jobs: {
          ...jobs,
          async createScheduled(...args: Parameters<Jobs["createScheduled"]>) {
            const job = await jobs.createScheduled(...args);
            return dies() ? lost() : job;
          },
        },
      }),
    ],
    [
      "after the schedule has moved on",
      (engine, _jobs, dies) => ({
        engine: {
          ...engine,
          schedules: {
            ...engine.schedules,
            async replace(...args: Parameters<Engine["schedules"]["replace"]>) {
              const replaced = await engine.schedules.replace(...args);
              return dies() ? lost() : replaced;
            },
          },
        },
      }),
    ],
  ];
  test.for(
    DEATHS.flatMap(([when, wrap]) =>
      (["once", "skip"] as const).map((missed) => [when, missed, wrap] as const),
    ),
  )(
    "a process that dies %s doubles no job and loses none, with missed firings: %s",
    async ([, missed, wrap]) => {
      let isDying = false;
      const fixture = await open("2027-01-01T00:00:00Z", {
        wrap: (engine, jobs) => ({ engine, jobs, ...wrap(engine, jobs, () => isDying) }),
      });
      const id = await upsert(fixture, every(HOUR_MS, { missed }));
      isDying = true;
      await fixture.advance(HOUR_MS);
      isDying = false;
      // Longer than a firing may be late: the one that had begun is no missed one.
      await fixture.restart(10 * MINUTE_MS);
      expect(await fixture.jobs()).toHaveLength(1);
      const schedule = await record(fixture, id);
      expect(schedule).toMatchObject({
        lastAt: new Date("2027-01-01T01:00:00Z"),
        nextAt: new Date("2027-01-01T02:00:00Z"),
        lastMissed: null,
      });
      expect(schedule.lastJobId).toBe((await fixture.jobs())[0]?.id);
      await fixture.advance(HOUR_MS);
      expect(await fixture.jobs()).toHaveLength(2);
    },
  );

  test("a thousand schedules that are due at one moment are fired in small steps, between which others work", async () => {
    const steps: number[] = [];
    const fixture = await open("2027-01-01T00:00:00Z", {
      wrap: (engine, jobs) => ({
        jobs,
        engine: {
          ...engine,
          schedules: {
            ...engine.schedules,
            async take(request) {
              const all = await engine.schedules.take(request);
              if (all.taken.length > 0) steps.push(all.taken.length);
              return all;
            },
          },
        },
      }),
    });
    const many = Array.from({ length: 1000 }, (_, index) =>
      upsert(fixture, { ...NIGHTLY, key: `${index}`, when: { cron: "0 1 * * *" } }),
    );
    await Promise.all(many);
    let turns = 0;
    let isDone = false;
    const count = () => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    count();
    await fixture.advance(HOUR_MS);
    isDone = true;
    expect(await fixture.jobs()).toHaveLength(1000);
    expect(Math.max(...steps)).toBeLessThanOrEqual(20);
    expect(turns).toBeGreaterThan(steps.length);
    expect(new Set((await fixture.jobs()).map(({ createdAt }) => createdAt.getTime())).size).toBe(
      1,
    );
  });
});

test("[K8] a job that the operator asked for is created once, through a crash, and moves no time", async () => {
  let isDying = true;
  const fixture = await open("2027-01-01T00:00:00.123Z", {
    wrap: (engine, jobs) => ({
      engine,
      jobs: {
        ...jobs,
        async createScheduled(...args) {
          const job = await jobs.createScheduled(...args);
          if (isDying) throw new AppError("UNAVAILABLE", "The process died.");
          return job;
        },
      },
    }),
  });
  const id = await upsert(fixture, every(HOUR_MS));
  await fixture.schedules.commands.pause(me, id);
  const changes = () =>
    createScheduleChanges({ store: fixture.engine.schedules, now: fixture.clock.now });
  expect((await changes().request(id)).changed).toBe(true);
  // One that is asked for already.
  expect((await changes().request(id)).changed).toBe(false);
  await fixture.advance(SECOND_MS);
  isDying = false;
  await fixture.restart(0);
  const [job, ...others] = await fixture.jobs();
  expect(others).toEqual([]);
  expect(await record(fixture, id)).toMatchObject({
    requestedAt: null,
    lastJobId: job?.id,
    lastAt: null,
    lastMissed: null,
  });
  await changes().request(id);
  await fixture.advance(SECOND_MS);
  expect(await fixture.jobs()).toHaveLength(2);
});

describe("[K2] missed firings", () => {
  test("with 'once' a schedule of a second creates one job for an hour without a server, and tells which it missed", async () => {
    const fixture = await open("2027-01-01T00:00:00Z");
    const id = await upsert(fixture, every(SECOND_MS));
    await fixture.advance(3 * SECOND_MS);
    expect(await fixture.jobs()).toHaveLength(3);
    await fixture.restart(HOUR_MS);
    // One for all that is later than ten seconds, and those within them.
    expect(await fixture.jobs()).toHaveLength(3 + 1 + 11);
    const missed = {
      from: new Date("2027-01-01T00:00:04Z"),
      to: new Date("2027-01-01T00:59:52Z"),
      count: 100,
      ranOnce: true,
    };
    expect((await record(fixture, id)).lastMissed).toEqual(missed);
    expect(fixture.results.filter((each) => each === "missed")).toHaveLength(0);
    // A firing that was missed is no delay of this server.
    expect(Math.max(...fixture.lags)).toBeLessThanOrEqual(10);
  });

  test("with 'skip' it creates none for them", async () => {
    const fixture = await open("2027-01-01T00:00:00Z");
    const id = await upsert(fixture, { ...NIGHTLY, missed: "skip" });
    await fixture.restart(3 * DAY_MS);
    expect(await fixture.jobs()).toEqual([]);
    expect(await record(fixture, id)).toMatchObject({
      lastAt: null,
      nextAt: new Date("2027-01-04T02:00:00Z"),
      lastMissed: {
        from: new Date("2027-01-01T02:00:00Z"),
        to: new Date("2027-01-03T02:00:00Z"),
        count: 3,
        ranOnce: false,
      },
    });
    expect(fixture.results).toEqual(["missed"]);
    await fixture.advance(DAY_MS);
    expect(await fixture.jobs()).toHaveLength(1);
  });

  test("a server that is away for some seconds misses nothing", async () => {
    const fixture = await open("2027-01-01T01:59:55Z");
    const id = await upsert(fixture, { ...NIGHTLY, missed: "skip" });
    await fixture.restart(14 * SECOND_MS);
    expect(await fixture.jobs()).toHaveLength(1);
    expect((await record(fixture, id)).lastMissed).toBeNull();
    expect(fixture.lags).toEqual([9]);
  });

  test("what passes while a schedule is paused is missed too", async () => {
    const fixture = await open("2027-01-01T00:00:00Z");
    const { commands } = fixture.schedules;
    for (const missed of ["once", "skip"] as const) {
      const id = await upsert(fixture, every(HOUR_MS, { key: missed, missed }));
      expect(await commands.pause(me, id)).toMatchObject({ nextAt: null });
      await fixture.advance(5 * HOUR_MS + MINUTE_MS);
      expect(await fixture.jobs()).toHaveLength(missed === "once" ? 0 : 1);
      await commands.resume(me, id);
      await fixture.advance(0);
      expect((await record(fixture, id)).lastMissed).toMatchObject({ count: 5 });
      await commands.pause(me, id);
    }
    expect(await fixture.jobs()).toHaveLength(1);
  });
});

describe("[K3] a machine's clock that is set", () => {
  test("back: no time is fired twice, and the plan goes on when the clock has caught up", async () => {
    const fixture = await open("2027-01-01T00:00:00Z");
    const id = await upsert(fixture, every(10 * MINUTE_MS));
    await fixture.advance(HOUR_MS);
    expect(await fixture.jobs()).toHaveLength(6);
    fixture.setClock(-HOUR_MS);
    await fixture.advance(HOUR_MS + MINUTE_MS);
    expect(await fixture.jobs()).toHaveLength(6);
    // To resume plans anew from now on: the times that it passes again have their jobs.
    fixture.setClock(-30 * MINUTE_MS);
    await fixture.schedules.commands.pause(me, id);
    await fixture.schedules.commands.resume(me, id);
    expect((await record(fixture, id)).nextAt).toEqual(new Date("2027-01-01T00:40:00Z"));
    await fixture.advance(40 * MINUTE_MS);
    expect(await fixture.jobs()).toHaveLength(7);
  });

  test("forward: the times between are missed firings", async () => {
    const fixture = await open("2027-01-01T00:00:00Z");
    const id = await upsert(fixture, every(HOUR_MS));
    fixture.setClock(DAY_MS + MINUTE_MS);
    await fixture.advance(SECOND_MS);
    expect(await fixture.jobs()).toHaveLength(1);
    expect((await record(fixture, id)).lastMissed).toMatchObject({ count: 24, ranOnce: true });
    await fixture.advance(HOUR_MS);
    expect(await fixture.jobs()).toHaveLength(2);
  });
});

const asOneOfMany: FixtureOptions["wrap"] = (engine, jobs) => ({
  jobs,
  engine: { ...engine, capabilities: { multiProcess: true } },
});

describe("[K6] during a rolling deployment", () => {
  const strict = defineKind({
    name: "report",
    input: z.object({ from: z.string() }),
    output: z.null(),
    run: async () => null,
  });
  test.each([
    ["refuses the input", [strict]],
    ["does not know the kind", []],
  ])("a process that %s leaves the firing to one that does not", async (_what, kinds) => {
    const fixture = await open("2027-01-01T00:00:00Z", { wrap: asOneOfMany });
    const id = await upsert(fixture, every(HOUR_MS, { missed: "skip" }));
    await fixture.restart(0, kinds);
    await fixture.advance(HOUR_MS + 2 * SECOND_MS);
    expect(await record(fixture, id)).toMatchObject({ lastError: null, lastAt: null });
    await fixture.restart(0, [report]);
    await fixture.advance(SECOND_MS);
    expect(await fixture.jobs()).toHaveLength(1);
    expect(await record(fixture, id)).toMatchObject({
      lastError: null,
      lastAt: new Date("2027-01-01T01:00:00Z"),
    });
  });

  test.each([
    ["refuse the input", [strict], "BAD_REQUEST"],
    ["do not know the kind", [], "NOT_FOUND"],
  ])("that is a failure if all %s", async (_what, kinds, code) => {
    const fixture = await open("2027-01-01T00:00:00Z", { wrap: asOneOfMany });
    const id = await upsert(fixture, every(HOUR_MS, { missed: "skip" }));
    await fixture.restart(0, kinds);
    await fixture.advance(HOUR_MS + 7 * SECOND_MS);
    expect(await record(fixture, id)).toMatchObject({
      lastError: { code, dueAt: new Date("2027-01-01T01:00:00Z") },
      nextAt: new Date("2027-01-01T02:00:00Z"),
      lastMissed: null,
    });
    expect(fixture.results).toEqual(["failed"]);
  });
});

describe("[K6] a firing that creates no job", () => {
  test("for an input that the kind no longer takes, or a kind that is gone, tells why, and the schedule goes on", async () => {
    const fixture = await open("2027-01-01T00:00:00Z");
    const id = await upsert(fixture, every(HOUR_MS));
    const stricter = defineKind({
      ...report,
      input: z.object({ from: z.string() }),
      title: ({ from }) => from,
      schedules: [],
    });
    await fixture.restart(0, [stricter]);
    await fixture.advance(HOUR_MS);
    expect((await record(fixture, id)).lastError).toMatchObject({
      code: "BAD_REQUEST",
      message: expect.stringContaining('not what "report" takes'),
      dueAt: new Date("2027-01-01T01:00:00Z"),
    });
    await fixture.restart(0, []);
    await fixture.advance(HOUR_MS);
    expect(await record(fixture, id)).toMatchObject({
      lastError: { code: "NOT_FOUND", message: expect.stringContaining('no kind "report"') },
      nextAt: new Date("2027-01-01T03:00:00Z"),
      lastJobId: null,
    });
    await fixture.restart(0, [report]);
    await fixture.advance(HOUR_MS);
    expect(await fixture.jobs()).toHaveLength(1);
    expect(fixture.results).toEqual(["failed", "failed", "fired"]);
    // An error stays, with its time.
    expect((await record(fixture, id)).lastError).toMatchObject({ code: "NOT_FOUND" });
  });

  test("for a tenant that has reached its quota, and for a kind whose code throws, too", async () => {
    const fixture = await open("2027-01-01T00:00:00Z", {
      kinds: [report, defineKind({ ...report, name: "broken", title: fails })],
      limits: {
        createJobs: async () => {},
        refusedJobs: () => undefined,
        quota: { waitingJobs: 2, bytes: 0 },
        quotaError,
      },
    });
    const id = await upsert(fixture, every(HOUR_MS));
    const before = { ...every(HOUR_MS), key: "broken", kind: "report" };
    const broken = await upsert(fixture, before);
    const { input: _input, upcoming: _upcoming, ...stored } = await record(fixture, broken);
    await fixture.engine.schedules.replace({ ...stored, kind: "broken", version: 2 });
    await fixture.advance(3 * HOUR_MS);
    expect(await fixture.jobs()).toHaveLength(2);
    expect((await record(fixture, id)).lastError).toMatchObject({ code: "RATE_LIMITED" });
    expect((await record(fixture, broken)).lastError).toMatchObject({ code: "INTERNAL" });
  });

  test("because the data cannot be written is tried again until there is one", async () => {
    let isFull = false;
    const fixture = await open("2027-01-01T00:00:00Z", {
      wrap: (engine, jobs) => ({
        engine,
        jobs: {
          ...jobs,
          createScheduled: async (...args) => {
            if (isFull) throw new AppError("UNAVAILABLE", "The disk is full.");
            return jobs.createScheduled(...args);
          },
        },
      }),
    });
    const id = await upsert(fixture, every(HOUR_MS, { missed: "skip" }));
    isFull = true;
    await fixture.advance(HOUR_MS + MINUTE_MS);
    expect(await fixture.jobs()).toEqual([]);
    expect(fixture.logged[0]?.reason).toContain("The disk is full.");
    isFull = false;
    await fixture.advance(MINUTE_MS);
    expect(await fixture.jobs()).toHaveLength(1);
    expect(await record(fixture, id)).toMatchObject({ lastError: null, lastMissed: null });
  });
});

function fails(): string {
  throw new Error("It has no title.");
}

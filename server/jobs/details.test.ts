/** Details that the code of a kind reports, as it should and in every wrong way. */
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type AnyKind,
  blocked,
  defineKind,
  Failure,
  type RunContext,
} from "#server/kinds/define.ts";
import { MAX_DETAILS_BYTES, MAX_PAGE_DETAILS } from "#shared/limits.ts";
import { me } from "#test/jobs/acting.ts";
import { isSettled } from "#shared/job.ts";
import {
  DONE,
  eventually,
  type JobsFixture,
  openJobsFixture,
  untilAborted,
} from "#test/jobs/jobs.fixture.ts";
import { hostileValues } from "#test/hostile-values.ts";

let fixture: JobsFixture;
afterEach(() => fixture.close());

type Code = (context: RunContext<unknown>) => Promise<unknown>;

function kindOf(details: z.ZodType | undefined, run: Code): AnyKind {
  return defineKind({
    name: "detailed",
    input: z.unknown(),
    details: details as z.ZodType<unknown, never> | undefined,
    output: z.unknown(),
    title: () => "Detailed",
    start: { progress: 0, message: "Begun" },
    run,
  });
}

/** Runs a job of such a kind to its end. Another job must be delivered meanwhile. */
async function ends(details: z.ZodType | undefined, run: Code) {
  fixture = await openJobsFixture([kindOf(details, run)]);
  fixture.startRunner();
  const { id } = await fixture.jobs.create(me, { kind: "detailed", input: null });
  await fixture.reaches(await fixture.create(), "DELIVERED");
  const job = await eventually(async () => {
    const newest = await fixture.job(id);
    expect(isSettled(newest.status)).toBe(true);
    return newest;
  });
  return { job, log: await fixture.log(id) };
}

/** Reports these details, and nothing else. */
const reports =
  (details: unknown): Code =>
  async ({ progress, signal }) => {
    void progress(50, "Some", details as never);
    return untilAborted(signal);
  };

const Files = z.object({
  done: z.int(),
  files: z.array(z.object({ name: z.string() })).default([]),
  at: z.iso.datetime().optional(),
});

test("[J18] the details that a kind reports are in this event, in those that follow, and in the job", async () => {
  const { job, log } = await ends(Files, async ({ progress }) => {
    await progress(10, "No details yet");
    await progress(20, "One", { done: 1, extra: true } as never);
    await progress(30, "The same");
    await progress(40, "Two", { done: 2, at: new Date(0), files: [{ name: "a" }] } as never);
    return DONE;
  });
  const [one, two] = [
    { done: 1, files: [] },
    { done: 2, files: [{ name: "a" }], at: "1970-01-01T00:00:00.000Z" },
  ];
  expect(log.map(({ details }) => details)).toEqual([
    undefined,
    undefined,
    undefined,
    one,
    one,
    two,
    two,
  ]);
  expect(job.details).toEqual(two);
});

test("[J18] the next attempt begins without the details of the one before", async () => {
  const { job } = await ends(Files, async ({ attempt, progress }) => {
    if (attempt > 1) return DONE;
    await progress(50, "One", { done: 1 } as never);
    throw new Failure("BROKEN", "It broke");
  });
  await fixture.jobs.decide(me, job.id, "retry");
  expect(await fixture.reaches(job.id, "DELIVERED")).not.toHaveProperty("details");
  const log = await fixture.log(job.id);
  expect(log.map(({ type, details }) => [type, details !== undefined])).toEqual([
    ["created", false],
    ["started", false],
    ["progress", true],
    ["aborted", true],
    ["requeued", false],
    ["started", false],
    ["delivered", false],
  ]);
});

describe("[J18] [H6] [H7] details that end the job of their kind alone:", () => {
  const round: Record<string, unknown> = { name: "a" };
  round.again = [round];
  const thrower = {
    get done() {
      throw new Error("The getter failed");
    },
  };
  const cases: [string, z.ZodType | undefined, unknown, string][] = [
    ["of a kind without a schema", undefined, { done: 1 }, "declares none. Add a `details` schema"],
    ["null of a kind without a schema", undefined, null, 'the kind "detailed" declares none'],
    ["of other types", Files, { done: "x", files: [{}] }, "done: Invalid input"],
    ["of other types, deep inside", Files, { done: 1, files: [{ name: 1 }] }, "files.0.name: "],
    ["no object", Files, 5, "do not fit the schema of the kind. details: Invalid input"],
    ["with a getter that throws", Files, thrower, "The getter failed"],
    [
      "with a getter that throws, and any schema",
      z.unknown(),
      thrower,
      "at done cannot be written as JSON: The getter failed",
    ],
    ["that contain themselves", z.unknown(), round, "contains itself"],
    ["with a BigInt", z.unknown(), { n: [1n] }, "at n.0 cannot be written as JSON: it is a bigint"],
    [
      "with a Map",
      z.unknown(),
      { seen: new Map() },
      "at seen cannot be written as JSON: it is an object of the class Map",
    ],
    ["with an invalid date", z.unknown(), { at: new Date(Number.NaN) }, "it is an invalid Date"],
    ["a function", z.unknown(), () => 1, "it is a function"],
    [
      "whose schema throws",
      z.unknown().refine(() => {
        throw new RangeError("Not today");
      }),
      1,
      "Not today",
    ],
    [
      "whose schema is asynchronous",
      z.unknown().refine(async () => true),
      1,
      "It is asynchronous, and details are checked",
    ],
  ];
  test.each(cases)("%s", async (_what, schema, details, message) => {
    const { job } = await ends(schema, reports(details));
    expect(job).toMatchObject({ status: "ABORTED", attempt: 1, error: { code: "KIND_FAILED" } });
    expect(job.message).toContain(message);
    expect(job).not.toHaveProperty("details");
  });

  test("any hostile value, whether the schema refuses, passes or throws it", async () => {
    const values = Object.values(hostileValues());
    const schemas = values.flatMap((value) => [
      Files,
      z.unknown(),
      z.unknown().refine(() => {
        throw value;
      }),
    ]);
    const kinds = schemas.map((schema, index) => {
      const value = values[Math.floor(index / 3)];
      const code: Code = async ({ progress }) => {
        await progress(50, "Some", value as never);
        return DONE;
      };
      return { ...kindOf(schema, code), name: `kind_${index}` };
    });
    fixture = await openJobsFixture(kinds);
    fixture.startRunner();
    const ends: string[] = [];
    for (const { name } of kinds) {
      const { id } = await fixture.jobs.create(me, { kind: name, input: null });
      await eventually(async () => expect(isSettled((await fixture.job(id)).status)).toBe(true));
      const { status, error } = await fixture.job(id);
      ends.push(error?.code ?? status);
    }
    // `undefined` is no details, `null` is JSON, and one text is longer than 8 KiB.
    const others = ends.filter((end) => end !== "KIND_FAILED");
    expect(new Set(others)).toEqual(new Set(["DELIVERED", "DETAILS_TOO_LARGE"]));
    expect(ends.slice(0, 6)).toEqual([
      ...Array.from({ length: 3 }, () => "DELIVERED"),
      "KIND_FAILED",
      "DELIVERED",
      "KIND_FAILED",
    ]);
    await fixture.reaches(await fixture.create(), "DELIVERED");
  });
});

test("[H11] details of more than 8 KiB end the job, and the message has both sizes; 8 KiB are stored", async () => {
  const full = "é".repeat(MAX_DETAILS_BYTES / 2 - 1);
  const stored = await ends(z.string(), async ({ progress }) => {
    await progress(50, "Full", full as never);
    return DONE;
  });
  expect(stored.job).toMatchObject({ status: "DELIVERED", details: full });
  await fixture.close();
  const { job } = await ends(z.string(), reports(`${full}x`));
  expect(job).toMatchObject({ status: "ABORTED", error: { code: "DETAILS_TOO_LARGE" } });
  expect(job.message).toContain("8,193 bytes as JSON; the limit is 8,192 bytes");
});

test("[J13] keys that JavaScript treats in a special way are kept, and change no prototype", async () => {
  const details: unknown = JSON.parse(
    '{"__proto__":{"polluted":true},"constructor":{"prototype":1}}',
  );
  const { job } = await ends(z.unknown(), async ({ progress }) => {
    await progress(50, "Some", details as never);
    return DONE;
  });
  expect(JSON.stringify(job.details)).toBe(JSON.stringify(details));
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test("details of code whose attempt is over are neither read nor stored", async () => {
  let context: RunContext<unknown> | undefined;
  const { job } = await ends(z.unknown(), async (given) => {
    context = given;
    return DONE;
  });
  let reads = 0;
  const late = Object.defineProperty({}, "a", { enumerable: true, get: () => (reads += 1) });
  await expect(context?.progress(50, "late", late as never)).rejects.toMatchObject({
    code: "CLAIM_LOST",
  });
  expect(reads).toBe(0);
  expect(await fixture.job(job.id)).toEqual(job);
});

test("[H11] a page of a log ends with the event with which its details exceed 1 MiB, and the next goes on", async () => {
  const details = "x".repeat(MAX_DETAILS_BYTES - 2);
  const fit = MAX_PAGE_DETAILS / MAX_DETAILS_BYTES;
  const { job } = await ends(z.string(), async ({ progress }) => {
    for (let step = 0; step < fit + 10; step += 1) await progress(1, `${step}`, details as never);
    return DONE;
  });
  const first = await fixture.jobs.events(me, { jobId: job.id, after: 0, limit: 1000 });
  // `created`, `started`, those that fit, and one more.
  expect(first.items).toHaveLength(2 + fit + 1);
  expect(first.nextCursor).toBe(String(first.items.length));
  const after = first.items.length;
  const next = await fixture.jobs.events(me, { jobId: job.id, after, limit: 1000 });
  expect(next.items.map(({ seq }) => seq)).toEqual(
    Array.from({ length: job.version - after }, (_, index) => after + index + 1),
  );
  expect(next.nextCursor).toBeNull();
});

test("[P4] a principal that may change a job but not read it receives no details", async () => {
  const { job } = await ends(z.unknown(), async ({ progress }) => {
    await progress(50, "Some", { secret: 1 } as never);
    return blocked("Look", null);
  });
  const reviewer = { ...me, scopes: ["jobs:review"] };
  const answer = await fixture.jobs.decide(reviewer, job.id, "approve", undefined);
  expect(answer).toMatchObject({ status: "DELIVERED", output: null });
  expect(answer).not.toHaveProperty("details");
  expect(await fixture.job(job.id)).toMatchObject({ details: { secret: 1 } });
});

/** Kinds that others write: whatever they do ends their own job at the most. */
import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type AnyKind, Failure, type Schema, Transient } from "#server/kinds/define.ts";
import { AppError } from "#shared/errors.ts";
import type { JobStatus } from "#shared/job.ts";
import { MAX_MESSAGE_CHARS } from "#shared/limits.ts";
import { me } from "#test/jobs/acting.ts";
import { hostileValues } from "#test/hostile-values.ts";
import { DONE, eventually, openJobsFixture, type JobsFixture } from "#test/jobs/jobs.fixture.ts";

const refuse = () => {
  throw new Error("This must not be read.");
};
const FAULT = { status: "ABORTED", attempt: 1, error: { code: "KIND_FAILED" } };

const STARTS: Record<string, unknown> = {
  half: { progress: 0.5, message: "Begun" },
  none: { progress: Number.NaN, message: "Begun" },
  minus: { progress: -1, message: "Begun" },
  huge: { progress: 1e9, message: "Begun" },
  text: { progress: "5", message: "Begun" },
  withoutMessage: { progress: 5, message: null },
};

function startsWith(name: string, start: PropertyDescriptor): AnyKind {
  const kind = {
    name,
    description: "Odd.",
    input: z.unknown(),
    output: z.unknown(),
    title: () => name,
    run: async () => DONE,
  };
  return Object.defineProperty(kind, "start", start) as unknown as AnyKind;
}

const kinds = [
  ...Object.entries(STARTS).map(([name, value]) => startsWith(name, { value })),
  startsWith("throws", { get: refuse }),
  startsWith("saysNothing", { value: undefined }),
  startsWith("saysMuch", { value: { progress: 1, message: "m".repeat(60_000) } }),
];

let fixture: JobsFixture;

beforeEach(async () => {
  fixture = await openJobsFixture(kinds);
});
afterEach(() => fixture.close());

async function endOf(output: Schema, returned: unknown, status: JobStatus) {
  fixture.output = output;
  fixture.run = async () => returned as typeof DONE;
  fixture.startRunner();
  return fixture.reaches(await fixture.create(), status);
}

const createOf = async (kind: string) => (await fixture.jobs.create(me, { kind, input: {} })).id;

describe("[H7] `start`", () => {
  test("that is a fault ends each job of its kind, and all others run", async () => {
    const odd = [...Object.keys(STARTS), "throws"];
    const { id: batchId } = await fixture.jobs.createBatch(me, {
      jobs: [...odd, "work", "saysNothing", "saysMuch"].map((kind) => ({ kind, input: {} })),
    });
    fixture.startRunner();
    await eventually(async () =>
      expect(await fixture.jobs.getBatch(me, batchId)).toMatchObject({
        completed: odd.length + 3,
        delivered: 3,
        aborted: odd.length,
      }),
    );
    const { items } = await fixture.jobs.list(me, { batchId, status: "ABORTED", limit: 50 });
    for (const { kind, error } of items) {
      const field =
        kind === "throws"
          ? "`start`"
          : kind === "withoutMessage"
            ? "`start.message`"
            : "`start.progress`";
      expect(error).toEqual({ code: "KIND_FAILED", message: expect.stringContaining(field) });
    }
  });

  test("that is not there starts at 0, and a message that is too long is cut", async () => {
    fixture.startRunner();
    const [plain, long] = [await createOf("saysNothing"), await createOf("saysMuch")];
    for (const id of [plain, long]) await fixture.reaches(id, "DELIVERED");
    expect((await fixture.log(plain))[1]).toMatchObject({ progress: 0, message: "Job started" });
    expect((await fixture.log(long))[1]?.message).toHaveLength(MAX_MESSAGE_CHARS);
  });
});

describe("[H6] `run` that fails", () => {
  test.each(Object.entries(hostileValues()))("with %s ends its job", async (_what, thrown) => {
    expect(await fixture.end(() => Promise.reject(thrown))).toMatchObject(FAULT);
    expect(fixture.logged).toHaveLength(1);
  });

  test.each(Object.entries(hostileValues()))(
    "at once, and not later, with %s ends its job",
    async (_what, thrown) => {
      const job = await fixture.end(() => {
        throw thrown;
      });
      expect(job).toMatchObject(FAULT);
    },
  );

  test.each([
    ["no text", Object.assign(new Failure("A", "b"), { code: 5, message: {} }), "KIND_FAILED"],
    [
      "a getter that throws",
      Object.defineProperty(new Failure("A", "b"), "code", { get: refuse }),
      "KIND_FAILED",
    ],
    ["endless text", new Failure("C".repeat(5000), "m".repeat(60_000)), `${"C".repeat(99)}…`],
  ] as const)("with fields that are %s ends its job", async (_what, error, code) => {
    const job = await fixture.end(() => Promise.reject(error));
    expect(job).toMatchObject({ status: "ABORTED", error: { code } });
    expect(job.message.length).toBeLessThanOrEqual(MAX_MESSAGE_CHARS);
  });

  test("and names no time to wait but text is retried as others are", async () => {
    const error = Object.assign(new Transient("BUSY", "busy"), { retryAfterMs: "9000" });
    fixture.run = () => Promise.reject(error);
    fixture.startRunner();
    const jobId = await fixture.create();
    await eventually(async () =>
      expect(await fixture.job(jobId)).toMatchObject({ message: "busy - Trying again in 1 s" }),
    );
  });

  test("with endless text still says when it runs again", async () => {
    fixture.run = () => Promise.reject(new Transient("BUSY", "m".repeat(60_000)));
    fixture.startRunner();
    const jobId = await fixture.create();
    await eventually(async () =>
      expect((await fixture.job(jobId)).message).toMatch(/^m{1949}… - Trying again in 1 s$/),
    );
  });

  test("by an UNAVAILABLE of its own is a fault, and does not run for ever", async () => {
    const job = await fixture.end(() =>
      Promise.reject(new AppError("UNAVAILABLE", "The shop is shut.")),
    );
    expect(job).toMatchObject({ ...FAULT, message: "The shop is shut." });
  });
});

describe("[H12] the error of a job says no path and no address of the server:", () => {
  const PATH = "/var/lib/jobwire/secret";

  test.each<[string, () => Promise<unknown>]>([
    ["a file that is missing", () => readFile(PATH).then(() => DONE)],
    ["a module that is missing", () => import(/* @vite-ignore */ PATH) as Promise<never>],
    [
      "a fault of the engine",
      () => Promise.reject(new AppError("INTERNAL", `${PATH}: no such row`)),
    ],
    ["data that are damaged", () => Promise.reject(new AppError("DATA_UNUSABLE", PATH))],
  ])("%s", async (_what, run) => {
    const job = await fixture.end(run);
    expect(job).toMatchObject(FAULT);
    expect(job.message).toContain("It was logged");
    const told = JSON.stringify([job, await fixture.log(job.id)]);
    expect(told).not.toMatch(/secret|ENOENT/);
    expect(JSON.stringify(fixture.logged)).toContain(PATH);
  });

  test("the engine's error when progress cannot be stored is for the log only", async () => {
    const { engine } = fixture;
    fixture.engine = {
      ...engine,
      change: async (jobId, change, ...rest) => {
        if (change.action === "progress") throw new AppError("INTERNAL", `${PATH}: no such row`);
        return engine.change(jobId, change, ...rest);
      },
    };
    const job = await fixture.end(async ({ progress }) => {
      await progress(50, "Half");
      return DONE;
    });
    expect(job).toMatchObject(FAULT);
    expect(job.message).not.toContain(PATH);
    expect(JSON.stringify(fixture.logged)).toContain(PATH);
  });

  test("the message that its author wrote reaches clients", async () => {
    const text = `There is no ${PATH}`;
    for (const thrown of [new Failure("GONE", text), new Error(text)]) {
      expect(await fixture.end(() => Promise.reject(thrown))).toMatchObject({ message: text });
    }
  });
});

describe("[H6] [J13] `run` that returns", () => {
  const deep = JSON.parse(`${"[".repeat(101)}${"]".repeat(101)}`) as unknown;
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const shared: unknown[] = ["x".repeat(1_000_000)];
  const outcomes: [string, unknown, string][] = [
    ["no message", { ...DONE, message: null }, "`message` of an outcome must be text"],
    ["a proxy that throws", new Proxy({}, { get: refuse }), "must not be read"],
    [
      "an outcome whose getters throw",
      Object.defineProperty({ ...DONE }, "output", { get: refuse }),
      "must not be read",
    ],
    [
      "a bigint",
      { ...DONE, output: { n: 1n } },
      "The output at n cannot be written as JSON: it is a bigint",
    ],
    [
      "a map",
      { ...DONE, output: { list: [0, new Map()] } },
      "at list.1 cannot be written as JSON: it is an object of the class Map",
    ],
    ["no number", { ...DONE, output: [Number.NaN] }, "at 0 cannot be written as JSON: it is NaN"],
    ["a function", { ...DONE, output: () => 1 }, "it is a function"],
    ["a symbol", { ...DONE, output: Symbol("x") }, "it is a symbol"],
    ["a circle", { ...DONE, output: circular }, "contains itself"],
    ["101 levels", { ...DONE, output: deep }, "limit of 100 levels"],
    [
      "a getter that throws inside",
      {
        ...DONE,
        output: {
          get a() {
            return refuse();
          },
        },
      },
      "must not be read",
    ],
    ["a toJSON that throws", { ...DONE, output: { toJSON: refuse } }, "must not be read"],
    ["a toJSON that is deep", { ...DONE, output: { toJSON: () => deep } }, "limit of 100 levels"],
  ];
  test.each(outcomes)("%s ends its job", async (_what, outcome, message) => {
    const job = await fixture.end(async () => outcome);
    expect(job).toMatchObject(FAULT);
    expect(job.message).toContain(message);
  });

  describe("[J15] an output that does not fit the schema of its kind ends its job, and the message has the paths:", () => {
    const Output = z.object({ files: z.array(z.url()), at: z.iso.datetime().optional() });
    test.each<[what: string, output: Schema, returned: unknown, message: string]>([
      ["a part", Output, { files: ["https://a.example", "b"] }, "files.1: Invalid URL."],
      ["no part", Output, {}, "files: Invalid input: expected array, received undefined."],
      ["nothing", Output, undefined, "output: Invalid input: expected object, received null."],
      ["each of many", z.array(z.int()), Array(1000).fill("x"), "output: And 980 more."],
      ["a check that throws", z.any().refine(refuse), 1, "must not be read"],
      ["a check that waits", z.any().refine(async () => true), 1, "outputs are checked synch"],
      ["a schema that makes no JSON", z.any().overwrite(() => 1n), 1, "it is a bigint"],
    ])("%s", async (_what, output, returned, message) => {
      const job = await endOf(output, returned, "ABORTED");
      expect(job).toMatchObject(FAULT);
      expect(job.message).toContain(message);
    });

    test("what its schema made of one that fits is stored", async () => {
      const output = z.object({ sum: z.int().default(7), at: z.iso.datetime() });
      const at = new Date(0);
      const job = await endOf(output, { at, more: 1 }, "DELIVERED");
      expect(job).toMatchObject({ message: "Delivered" });
      expect(job.output).toEqual({ sum: 7, at: at.toISOString() });
    });
  });

  test.each([
    ["6 MB of text", "x".repeat(6_000_000), "6,000,002 bytes"],
    [
      "one text very many times",
      Array.from({ length: 100_000 }, () => shared),
      "more than 67,108,864 bytes",
    ],
  ])("[H11] an output of %s ends its job as OUTPUT_TOO_LARGE", async (_what, output, size) => {
    const job = await fixture.end(async () => ({ ...DONE, output }));
    expect(job).toMatchObject({ status: "ABORTED", error: { code: "OUTPUT_TOO_LARGE" } });
    expect(job.message).toContain(`${size} as JSON; the limit is 5,242,880 bytes`);
  });

  test("an output that changes each time that it is read is stored as it was first", async () => {
    let reads = 0;
    const output = { toJSON: () => ({ read: (reads += 1) }) };
    expect(await fixture.end(async () => ({ ...DONE, output }))).toMatchObject({
      output: { read: 1 },
    });
  });

  test("a thenable, or no promise at all, is taken for what it is", async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- what a kind of another library may return
    const thenable = { then: (resolve: (outcome: unknown) => void) => resolve(DONE) };
    expect((await fixture.end(() => thenable)).status).toBe("DELIVERED");
    fixture.run = (() => DONE) as unknown as JobsFixture["run"];
    await fixture.reaches(await fixture.create(), "DELIVERED");
  });

  test("an endless message has it cut", async () => {
    const job = await fixture.end(async () => ({ ...DONE, message: "m".repeat(60_000) }));
    expect(job.message).toHaveLength(MAX_MESSAGE_CHARS);
  });
});

describe("[H6] `run` that never returns", () => {
  test("does not keep its job from being cancelled, nor its place from other jobs", async () => {
    fixture.run = ({ input }) =>
      input.name === "bystander" ? Promise.resolve(DONE) : new Promise(() => {});
    fixture.startRunner({ concurrency: 1, stopMs: 1 });
    const jobId = await fixture.create();
    await fixture.reaches(jobId, "PROCESSING");
    await fixture.jobs.decide(me, jobId, "cancel");
    await fixture.reaches(await fixture.create("bystander"), "DELIVERED");
    expect(fixture.logged.map(({ msg }) => msg)).toEqual([
      "A job's code was aborted, and still runs after 0.001 s",
    ]);
  });

  test("does not keep the runner from stopping", async () => {
    fixture.run = () => new Promise(() => {});
    const runner = fixture.startRunner();
    const jobId = await fixture.create();
    await fixture.reaches(jobId, "PROCESSING");
    expect(await runner.stop(0)).toEqual({ finished: 0, givenBack: 1 });
  });
});

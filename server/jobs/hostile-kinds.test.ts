/** Kinds that others write: whatever they do ends their own job at the most. */
import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type AnyKind, Failure, Transient } from "#server/kinds/define.ts";
import { AppError } from "#shared/errors.ts";
import { MAX_MESSAGE_CHARS } from "#shared/limits.ts";
import { LOCAL_PRINCIPAL as me } from "#shared/principal.ts";
import { hostileValues } from "#shared/test-hostile-values.ts";
import { DONE, eventually, openRig, type Rig } from "./rig.ts";

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
  "without-message": { progress: 5, message: null },
};

function startsWith(name: string, start: PropertyDescriptor): AnyKind {
  const kind = {
    name,
    description: "Odd.",
    input: z.unknown(),
    title: () => name,
    run: async () => DONE,
  };
  return Object.defineProperty(kind, "start", start) as unknown as AnyKind;
}

const kinds = [
  ...Object.entries(STARTS).map(([name, value]) => startsWith(name, { value })),
  startsWith("throws", { get: refuse }),
  startsWith("says-nothing", { value: undefined }),
  startsWith("says-much", { value: { progress: 1, message: "m".repeat(60_000) } }),
];

let rig: Rig;

beforeEach(async () => {
  rig = await openRig(kinds);
});
afterEach(() => rig.close());

const createOf = async (kind: string) => (await rig.jobs.create(me, { kind, input: {} })).id;

describe("[H7] `start`", () => {
  test("that is a fault ends each job of its kind, and all others run", async () => {
    const odd = [...Object.keys(STARTS), "throws"];
    const { id: batchId } = await rig.jobs.createBatch(me, {
      jobs: [...odd, "work", "says-nothing", "says-much"].map((kind) => ({ kind, input: {} })),
    });
    rig.startRunner();
    await eventually(async () =>
      expect(await rig.jobs.getBatch(me, batchId)).toMatchObject({
        completed: odd.length + 3,
        delivered: 3,
        aborted: odd.length,
      }),
    );
    const { items } = await rig.jobs.list(me, { batchId, status: "ABORTED", limit: 50 });
    for (const { kind, error } of items) {
      const field =
        kind === "throws"
          ? "`start`"
          : kind === "without-message"
            ? "`start.message`"
            : "`start.progress`";
      expect(error).toEqual({ code: "KIND_FAILED", message: expect.stringContaining(field) });
    }
  });

  test("that is not there starts at 0, and a message that is too long is cut", async () => {
    rig.startRunner();
    const [plain, long] = [await createOf("says-nothing"), await createOf("says-much")];
    for (const id of [plain, long]) await rig.reaches(id, "DELIVERED");
    expect((await rig.log(plain))[1]).toMatchObject({ progress: 0, message: "Job started" });
    expect((await rig.log(long))[1]?.message).toHaveLength(MAX_MESSAGE_CHARS);
  });
});

describe("[H6] `run` that fails", () => {
  test.each(Object.entries(hostileValues()))("with %s ends its job", async (_what, thrown) => {
    expect(await rig.end(() => Promise.reject(thrown))).toMatchObject(FAULT);
    expect(rig.logged).toHaveLength(1);
  });

  test.each(Object.entries(hostileValues()))(
    "at once, and not later, with %s ends its job",
    async (_what, thrown) => {
      const job = await rig.end(() => {
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
    const job = await rig.end(() => Promise.reject(error));
    expect(job).toMatchObject({ status: "ABORTED", error: { code } });
    expect(job.message.length).toBeLessThanOrEqual(MAX_MESSAGE_CHARS);
  });

  test("and names no time to wait but text is retried as others are", async () => {
    const error = Object.assign(new Transient("BUSY", "busy"), { retryAfterMs: "9000" });
    rig.run = () => Promise.reject(error);
    rig.startRunner();
    const jobId = await rig.create();
    await eventually(async () =>
      expect(await rig.job(jobId)).toMatchObject({ message: "busy - Trying again in 1 s" }),
    );
  });

  test("with endless text still says when it runs again", async () => {
    rig.run = () => Promise.reject(new Transient("BUSY", "m".repeat(60_000)));
    rig.startRunner();
    const jobId = await rig.create();
    await eventually(async () =>
      expect((await rig.job(jobId)).message).toMatch(/^m{1949}… - Trying again in 1 s$/),
    );
  });

  test("by an UNAVAILABLE of its own is a fault, and does not run for ever", async () => {
    const job = await rig.end(() =>
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
    const job = await rig.end(run);
    expect(job).toMatchObject(FAULT);
    expect(job.message).toContain("It was logged");
    const told = JSON.stringify([job, await rig.log(job.id)]);
    expect(told).not.toMatch(/secret|ENOENT/);
    expect(JSON.stringify(rig.logged)).toContain(PATH);
  });

  test("what the engine says when progress cannot be stored is for the log", async () => {
    const { engine } = rig;
    rig.engine = {
      ...engine,
      change: async (jobId, change, ...rest) => {
        if (change.action === "progress") throw new AppError("INTERNAL", `${PATH}: no such row`);
        return engine.change(jobId, change, ...rest);
      },
    };
    const job = await rig.end(async ({ progress }) => {
      await progress(50, "Half");
      return DONE;
    });
    expect(job).toMatchObject(FAULT);
    expect(job.message).not.toContain(PATH);
    expect(JSON.stringify(rig.logged)).toContain(PATH);
  });

  test("what its author wrote is told", async () => {
    const text = `There is no ${PATH}`;
    for (const thrown of [new Failure("GONE", text), new Error(text)]) {
      expect(await rig.end(() => Promise.reject(thrown))).toMatchObject({ message: text });
    }
  });
});

describe("[H6] [J13] `run` that returns", () => {
  const deep = JSON.parse(`${"[".repeat(101)}${"]".repeat(101)}`) as unknown;
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const shared: unknown[] = ["x".repeat(1_000_000)];
  const outcomes: [string, unknown, string][] = [
    ["nothing", undefined, "undefined"],
    ["text", "delivered", '"delivered"'],
    [
      "an unknown status",
      { ...DONE, status: "done" },
      '`status` of an outcome must be "delivered"',
    ],
    [
      "a status with an emoji where it is cut",
      { ...DONE, status: `${"x".repeat(39)}😀` },
      `but it is "${"x".repeat(39)}…"`,
    ],
    ["no message", { ...DONE, message: null }, "`message` of an outcome must be text"],
    [
      "getters that throw",
      Object.defineProperty({}, "status", { get: refuse }),
      "must not be read",
    ],
    [
      "a bigint",
      { ...DONE, output: { n: 1n } },
      "The `output` of an outcome at n cannot be written as JSON: it is a bigint",
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
    const job = await rig.end(async () => outcome);
    expect(job).toMatchObject(FAULT);
    expect(job.message).toContain(message);
  });

  test.each([
    ["6 MB of text", "x".repeat(6_000_000), "6,000,002 bytes"],
    [
      "one text very many times",
      Array.from({ length: 100_000 }, () => shared),
      "more than 67,108,864 bytes",
    ],
  ])("[H11] an output of %s ends its job as OUTPUT_TOO_LARGE", async (_what, output, size) => {
    const job = await rig.end(async () => ({ ...DONE, output }));
    expect(job).toMatchObject({ status: "ABORTED", error: { code: "OUTPUT_TOO_LARGE" } });
    expect(job.message).toContain(`${size} as JSON; the limit is 5,242,880 bytes`);
  });

  test("an output that changes each time that it is read is stored as it was first", async () => {
    let reads = 0;
    const output = { toJSON: () => ({ read: (reads += 1) }) };
    expect(await rig.end(async () => ({ ...DONE, output }))).toMatchObject({ output: { read: 1 } });
  });

  test("a thenable, or no promise at all, is taken for what it is", async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- what a kind of another library may return
    const thenable = { then: (resolve: (outcome: unknown) => void) => resolve(DONE) };
    expect((await rig.end(() => thenable)).status).toBe("DELIVERED");
    rig.run = (() => DONE) as unknown as Rig["run"];
    await rig.reaches(await rig.create(), "DELIVERED");
  });

  test("an endless message has it cut", async () => {
    const job = await rig.end(async () => ({ ...DONE, message: "m".repeat(60_000) }));
    expect(job.message).toHaveLength(MAX_MESSAGE_CHARS);
  });
});

describe("[H6] `run` that never returns", () => {
  test("does not keep its job from being cancelled, nor its place from other jobs", async () => {
    rig.run = ({ input }) =>
      input.name === "bystander" ? Promise.resolve(DONE) : new Promise(() => {});
    rig.startRunner({ concurrency: 1, stopMs: 1 });
    const jobId = await rig.create();
    await rig.reaches(jobId, "PROCESSING");
    await rig.jobs.decide(me, jobId, "cancel");
    await rig.reaches(await rig.create("bystander"), "DELIVERED");
    expect(rig.logged.map(({ msg }) => msg)).toEqual([
      "A job's code was told to stop, and still runs after 0.001 s",
    ]);
  });

  test("does not keep the runner from stopping", async () => {
    rig.run = () => new Promise(() => {});
    const runner = rig.startRunner();
    const jobId = await rig.create();
    await rig.reaches(jobId, "PROCESSING");
    expect(await runner.stop(0)).toEqual({ finished: 0, givenBack: 1 });
  });
});

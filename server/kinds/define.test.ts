import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { blocked, defineKind, delivered, type Stored } from "./define.ts";

test("the compiler gives `title` and `run` the types of the stored input", () => {
  const kind = defineKind({
    name: "dated",
    description: "Has a date.",
    input: z.object({
      at: z.coerce.date(),
      words: z.array(z.string()),
      note: z.string().nullish(),
    }),
    output: z.object({ on: z.date(), count: z.int().default(1) }),
    title({ at }) {
      expectTypeOf(at).toBeString();
      return at;
    },
    start: { progress: 0, message: "Begun" },
    async run({ input }) {
      expectTypeOf(input).toEqualTypeOf<{
        at: string;
        words: string[];
        note?: string | null | undefined;
      }>();
      return { on: new Date() };
    },
  });
  expect(kind.title({ at: "2026-01-01T00:00:00.000Z" })).toBe("2026-01-01T00:00:00.000Z");
  expectTypeOf(kind.name).toEqualTypeOf<"dated">();
  expectTypeOf<NonNullable<(typeof kind)["~types"]>>().toEqualTypeOf<{
    input: { at: unknown; words: string[]; note?: string | null | undefined };
    parsed: { at: string; words: string[]; note?: string | null | undefined };
    details: never;
    output: { on: string; count: number };
  }>();
  // oxlint-disable-next-line typescript/no-explicit-any -- a schema of any has it
  expectTypeOf<Stored<{ a: [Date, URL]; b: unknown; c: any; d: never; e?: 1n }>>().toEqualTypeOf<{
    a: [string, string];
    b: unknown;
    // oxlint-disable-next-line typescript/no-explicit-any -- a schema of any has it
    c: any;
    d: never;
    e?: 1n;
  }>();
});

test("the compiler refuses an output that does not fit the schema, in each form", () => {
  const definition = { name: "sum", input: z.object({}), output: z.object({ sum: z.number() }) };
  // @ts-expect-error The output has no sum.
  defineKind({ ...definition, run: async () => ({}) });
  // @ts-expect-error The sum is no number.
  defineKind({ ...definition, run: async () => delivered("Done", { sum: "1" }) });
  // @ts-expect-error The sum is no number.
  defineKind({ ...definition, run: async () => blocked("Look", { sum: "1" }) });
  const sum = defineKind({
    ...definition,
    run: async ({ attempt }) => (attempt > 1 ? blocked("Look", { sum: 1 }) : { sum: 1 }),
  });
  expect(sum.name).toBe("sum");
});

test("a kind has the defaults of what its definition leaves out, and keeps the object of its code", async () => {
  const kind = defineKind({
    name: "mail",
    input: z.object({}),
    output: z.string(),
    async run() {
      return this.name;
    },
  });
  expect(kind).toMatchObject({ description: "", start: { progress: 0, message: "Job started" } });
  expect(kind.title({})).toBe("mail");
  expect(await kind.run({} as never)).toBe("mail");
});

test.each(["run", "title"])("a definition whose %s is no function is refused", (part) => {
  const definition = { name: "mail", input: z.object({}), output: z.null(), run: async () => null };
  expect(() => defineKind({ ...definition, [part]: "none" })).toThrow(
    `The kind "mail" has no function \`${part}\`.`,
  );
});

test("the compiler gives `progress` the type that the `details` schema takes, and none without a schema", () => {
  const start = { progress: 0, message: "Started" };
  const done = null;
  const base = { input: z.null(), output: z.null(), start };
  const detailed = defineKind({
    ...base,
    name: "detailed",
    details: z.object({ at: z.iso.datetime(), note: z.string().default("") }),
    async run({ progress }) {
      expectTypeOf(progress)
        .parameter(2)
        .toEqualTypeOf<{ at: string; note?: string | undefined } | undefined>();
      await progress(1, "One", { at: "2026-01-01T00:00:00Z" });
      // @ts-expect-error another type
      await progress(1, "One", { at: 5 });
      return done;
    },
  });
  const plain = defineKind({
    ...base,
    name: "plain",
    async run({ progress }) {
      await progress(1, "One");
      // @ts-expect-error this kind has no schema of details
      await progress(1, "One", { at: new Date() });
      return done;
    },
  });
  expect([detailed.details === undefined, plain.details === undefined]).toEqual([false, true]);
});

test("literals in an output need no `as const`, and a wrong one does not compile", async () => {
  const output = z.discriminatedUnion("type", [
    z.object({ type: z.literal("file"), path: z.string() }),
    z.object({ type: z.literal("text"), words: z.array(z.enum(["yes", "no"])) }),
  ]);
  const input = z.string();
  const kind = defineKind({
    name: "files",
    input,
    output,
    async run({ input: path }) {
      if (path === "") return blocked("No path", { type: "text", words: ["no"] });
      return path === "-" ? { type: "text", words: ["yes"] } : { type: "file", path };
    },
  });
  expectTypeOf<NonNullable<(typeof kind)["~types"]>["output"]>().toEqualTypeOf<
    z.output<typeof output>
  >();
  defineKind({
    name: "constant",
    input,
    output,
    async run(_context) {
      return { type: "file", path: "/" };
    },
  });
  defineKind({
    name: "wrong",
    input,
    output,
    // @ts-expect-error: there is no such type of output
    async run({ input: path }) {
      return { type: "folder", path };
    },
  });
});

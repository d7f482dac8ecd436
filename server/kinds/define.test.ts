import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { defineKind, type Stored } from "./define.ts";

test("the compiler gives `title` and `run` the types of the stored input", () => {
  const kind = defineKind({
    name: "dated",
    description: "Has a date.",
    input: z.object({
      at: z.coerce.date(),
      words: z.array(z.string()),
      note: z.string().nullish(),
    }),
    title({ at }) {
      expectTypeOf(at).toBeString();
      return at;
    },
    start: { progress: 0, message: "Started" },
    async run({ input }) {
      expectTypeOf(input).toEqualTypeOf<{
        at: string;
        words: string[];
        note?: string | null | undefined;
      }>();
      return { status: "delivered", message: "Done", output: null };
    },
  });
  expect(kind.title({ at: "2026-01-01T00:00:00.000Z" })).toBe("2026-01-01T00:00:00.000Z");
  expectTypeOf<Stored<{ a: [Date, URL]; b: unknown }>>().toEqualTypeOf<{
    a: [string, string];
    b: unknown;
  }>();
});

test("the compiler gives `progress` the type that the `details` schema takes, and none without a schema", () => {
  const start = { progress: 0, message: "Started" };
  const done = { status: "delivered", message: "Done", output: null } as const;
  const base = { description: "", input: z.null(), title: () => "", start };
  const detailed = defineKind({
    ...base,
    name: "detailed",
    details: z.object({ at: z.date(), note: z.string().default("") }),
    async run({ progress }) {
      expectTypeOf(progress)
        .parameter(2)
        .toEqualTypeOf<{ at: Date; note?: string | undefined } | undefined>();
      await progress(1, "One", { at: new Date() });
      // @ts-expect-error another type
      await progress(1, "One", { at: "today" });
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

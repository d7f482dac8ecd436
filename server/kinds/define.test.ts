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

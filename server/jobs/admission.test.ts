import { expect, test } from "vitest";
import { z } from "zod";
import { defineKind } from "#server/kinds/define.ts";
import { AppError } from "#shared/errors.ts";
import { createAdmission } from "./admission.ts";

const greet = defineKind({
  name: "greet",
  description: "Greets.",
  input: z.object({
    whom: z.string().min(2, "Must have 2 letters at least"),
    times: z.int().max(5).default(1),
    at: z.object({ input: z.string() }).optional(),
  }),
  title: ({ whom, times }) => `Greet ${whom} ${times}x`,
  start: { progress: 0, message: "Begun" },
  run: async () => ({ status: "delivered", message: "Done", output: null }),
});
const admission = createAdmission(new Map([["greet", greet]]));

function refused(admit: () => unknown): AppError {
  try {
    admit();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("It was let in.");
}

test("what a kind takes is let in as the kind reads it, with a title", () => {
  expect(admission.one({ kind: "greet", input: { whom: "Ann", extra: true } })).toEqual({
    kind: "greet",
    title: "Greet Ann 1x",
    input: { whom: "Ann", times: 1 },
  });
});

test("an unknown kind is not found, and the known ones are named", () => {
  for (const kind of ["nope", "constructor", ""]) {
    const { code, message } = refused(() => admission.one({ kind, input: {} }));
    expect(code).toBe("NOT_FOUND");
    expect(message).toBe(`There is no kind "${kind}". Known kinds: greet.`);
  }
});

test("a malformed input is refused with each field", () => {
  const input = { whom: "A", times: 9, at: { input: 1 } };
  const { code, message, issues } = refused(() => admission.one({ kind: "greet", input }));
  expect(code).toBe("BAD_REQUEST");
  expect(issues.map(({ path }) => path.join("."))).toEqual([
    "input.whom",
    "input.times",
    "input.at.input",
  ]);
  expect(message).toContain(
    'The input is not what "greet" takes. whom: Must have 2 letters at least. ',
  );
  expect(message).toContain(" at.input: ");
});

test("an input that is no object at all is refused as a whole", () => {
  for (const input of [undefined, null, 5, "text", []]) {
    const { message, issues } = refused(() => admission.one({ kind: "greet", input }));
    expect(issues).toHaveLength(1);
    expect(issues[0]?.path).toEqual(["input"]);
    expect(message).toContain("takes. input: Invalid input");
  }
});

test("[B1] a batch is let in whole, in its order", () => {
  const rows = ["Ann", "Bob", "Cid"].map((whom) => ({ kind: "greet", input: { whom } }));
  expect(admission.all(rows).map(({ title }) => title)).toEqual([
    "Greet Ann 1x",
    "Greet Bob 1x",
    "Greet Cid 1x",
  ]);
});

test("[B1] a batch with bad rows is refused whole, each named with its line", () => {
  const good = { kind: "greet", input: { whom: "Ann" } };
  const rows = [good, { kind: "nope", input: {} }, good, { kind: "greet", input: { whom: "B" } }];
  const { code, message, issues } = refused(() => admission.all(rows));
  expect(code).toBe("BAD_REQUEST");
  expect(message.split("\n")).toEqual([
    "2 of 4 rows cannot be used, so none was stored.",
    'Row 2: kind: There is no kind "nope". Known kinds: greet.',
    "Row 4: whom: Must have 2 letters at least.",
  ]);
  expect(issues.map(({ path }) => path)).toEqual([
    ["jobs", 1, "kind"],
    ["jobs", 3, "input", "whom"],
  ]);
});

test("[B1] where very many rows are bad, the message names the first 20 and the fields are all there", () => {
  const rows = Array.from({ length: 10_000 }, () => ({ kind: "greet", input: {} }));
  const { message, issues } = refused(() => admission.all(rows));
  const lines = message.split("\n");
  expect(lines).toHaveLength(22);
  expect(lines.at(-1)).toBe("And 9980 more.");
  expect(issues).toHaveLength(10_000);
});

import { expect, test } from "vitest";
import { z } from "zod";
import { type Field, fieldsOf } from "./fields.ts";

const fieldsFor = (type: z.ZodType) => fieldsOf(z.toJSONSchema(type, { io: "input" }));

function only(type: z.ZodType): Field {
  const [field] = fieldsFor(z.object({ it: type })) ?? [];
  if (field === undefined) throw new Error("There is no field.");
  return field;
}

test.each([
  ["a text", z.string(), { is: "text", type: "lines" }],
  ["a short text", z.string().max(20), { is: "text", type: "text" }],
  ["a text with a pattern", z.string().regex(/^a/), { is: "text", type: "text" }],
  ["an address", z.url(), { is: "text", type: "url" }],
  ["an e-mail address", z.email(), { is: "text", type: "email" }],
  ["a date", z.iso.date(), { is: "text", type: "date" }],
  ["a time", z.iso.datetime(), { is: "text", type: "text" }],
  ["a number", z.number(), { is: "number", whole: false }],
  ["a whole number", z.int(), { is: "number", whole: true }],
  ["a choice", z.enum(["a", "b"]), { is: "choice", values: ["a", "b"] }],
  ["a literal", z.literal(7), { is: "choice", values: [7] }],
  ["a flag", z.boolean(), { is: "check" }],
  ["a flag with a default", z.boolean().default(true), { is: "check" }],
  ["a flag that may be absent", z.boolean().optional(), { is: "choice", values: [true, false] }],
  ["a flag that may be null", z.boolean().nullable(), { is: "choice", values: [true, false] }],
  ["texts", z.array(z.string()), { is: "list", of: "string" }],
  ["addresses", z.array(z.url()), { is: "list", of: "string" }],
  ["choices", z.array(z.enum(["a", "b"])), { is: "list", of: "string" }],
  ["whole numbers", z.array(z.int()), { is: "list", of: "integer" }],
  ["flags", z.array(z.boolean()), { is: "json" }],
  ["texts or null", z.array(z.string().nullable()), { is: "json" }],
  ["a pair", z.tuple([z.string(), z.int()]), { is: "json" }],
  ["an object", z.object({ a: z.string() }), { is: "json" }],
  ["a record", z.record(z.string(), z.string()), { is: "json" }],
  ["alternatives", z.union([z.string(), z.int()]), { is: "json" }],
  ["anything", z.unknown(), { is: "json" }],
])("%s has its control", (_what, type, control) => {
  expect(only(type).control).toEqual(control);
});

test("a field has the title, or else the name, and says that it may be left out", () => {
  expect(only(z.string()).label).toBe("it");
  expect(only(z.string().meta({ title: "The thing" })).label).toBe("The thing");
  expect(only(z.string().optional()).label).toBe("it (optional)");
  expect(only(z.boolean().default(false)).label).toBe("it");
});

test.each([
  ["the description", z.string().describe("A name."), "A name"],
  ["a range", z.int().min(1).max(9), "1 to 9"],
  ["a lower bound", z.int().min(0).describe("How many"), "How many. At least 0"],
  ["an upper bound", z.number().max(1.5), "At most 1.5"],
  ["no bounds of a plain integer", z.int(), ""],
  ["the lines of a list", z.array(z.int().min(1).max(9)), "One in each line: 1 to 9"],
  ["the choices of a list", z.array(z.enum(["a", "b"])), "One in each line: a, b"],
  ["an example of a time", z.iso.datetime(), "Such as 2026-01-31T12:00:00Z"],
])("a hint has %s", (_what, type, hint) => {
  expect(only(type).hint).toBe(hint);
});

test.each([
  ["a default", z.int().default(3), "3"],
  ["a default choice", z.enum(["a", "b"]).default("b"), '"b"'],
  ["a default flag", z.boolean().default(true), "true"],
  ["default items", z.array(z.string()).default(["a", "b"]), "a\nb"],
  ["no flag", z.boolean(), "false"],
  ["a skeleton", z.object({ a: z.string() }), '{\n  "a": ""\n}'],
  ["nothing", z.object({ a: z.string() }).optional(), ""],
])("a field begins with %s", (_what, type, initial) => {
  expect(only(type).initial).toBe(initial);
});

test("only an object with known properties has fields", () => {
  expect(fieldsFor(z.unknown())).toBeUndefined();
  expect(fieldsFor(z.string())).toBeUndefined();
  expect(fieldsFor(z.record(z.string(), z.int()))).toBeUndefined();
  expect(fieldsFor(z.union([z.object({ a: z.int() }), z.object({ b: z.int() })]))).toBeUndefined();
  expect(fieldsFor(z.object({ a: z.int() }).nullable())).toBeUndefined();
  expect(fieldsFor(z.object({}))).toEqual([]);
});

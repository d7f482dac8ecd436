import { expect, test } from "vitest";
import { z } from "zod";
import { type Control, type Field, formOf, MOST_DEEP, MOST_ITEMS } from "./fields.ts";
import { MOST_SCHEMAS } from "#shared/json-schema.ts";
import { initialDraft } from "./draft.ts";

const formFor = (type: z.ZodType) => formOf(z.toJSONSchema(type, { io: "input" }));

function fieldsFor(type: z.ZodType): Field[] | undefined {
  const control = formFor(type)?.control;
  return control?.is === "object" ? control.fields : undefined;
}

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
  ["a point in time", z.iso.datetime(), { is: "text", type: "datetime-local" }],
  ["a number", z.number(), { is: "number", whole: false }],
  ["a whole number", z.int(), { is: "number", whole: true }],
  ["a choice", z.enum(["a", "b"]), { is: "choice", values: ["a", "b"] }],
  ["a literal", z.literal(7), { is: "fixed", value: 7, isShown: true }],
  ["a literal that may be absent", z.literal(7).optional(), { is: "choice", values: [7] }],
  ["a literal that may be null", z.literal(7).nullable(), { is: "choice", values: [7] }],
  ["a flag", z.boolean(), { is: "check" }],
  ["a flag with a default", z.boolean().default(true), { is: "check" }],
  ["a flag that may be absent", z.boolean().optional(), { is: "choice", values: [true, false] }],
  ["a flag that may be null", z.boolean().nullable(), { is: "choice", values: [true, false] }],
  ["a pair", z.tuple([z.string(), z.int()]), { is: "json", skeleton: [] }],
  ["anything", z.unknown(), { is: "json", skeleton: {} }],
  ["lists of anything", z.array(z.unknown()), { is: "json", skeleton: [] }],
  ["a record of anything", z.record(z.string(), z.unknown()), { is: "json", skeleton: {} }],
  [
    "alternatives of anything",
    z.union([z.string(), z.array(z.unknown())]),
    { is: "json", skeleton: "" },
  ],
])("%s has its control", (_what, type, control) => {
  expect(only(type).control).toEqual(control);
});

const shape = (control: Control): unknown => {
  if (control.is === "object") {
    return Object.fromEntries(control.fields.map((field) => [field.name, shape(field.control)]));
  }
  if (control.is === "array") return [shape(control.item.control), control.fewest, control.most];
  if (control.is === "record") return { "*": shape(control.value.control) };
  if (control.is !== "union") return control.is;
  return control.options.map(({ label, field }) => [label, shape(field.control)]);
};

const Circle = z.object({ kind: z.literal("circle"), radius: z.number() });
const Square = z.object({ kind: z.literal("square"), side: z.number() });

test.each([
  ["texts", z.array(z.string()), ["text", 0, MOST_ITEMS]],
  ["whole numbers", z.array(z.int()).min(2).max(3), ["number", 2, 3]],
  ["more than a form holds", z.array(z.int()).min(200).max(300), ["number", 100, 100]],
  ["flags", z.array(z.boolean()), ["check", 0, MOST_ITEMS]],
  ["texts or null", z.array(z.string().nullable()), ["text", 0, MOST_ITEMS]],
  ["an object", z.object({ a: z.string(), b: z.int().optional() }), { a: "text", b: "number" }],
  ["objects", z.array(z.object({ a: z.string() })), [{ a: "text" }, 0, MOST_ITEMS]],
  ["lists of lists", z.array(z.array(z.int())), [["number", 0, MOST_ITEMS], 0, MOST_ITEMS]],
  ["a record", z.record(z.string(), z.int()), { "*": "number" }],
  ["a record of known names", z.record(z.enum(["a", "b"]), z.int()), { a: "number", b: "number" }],
  [
    "alternatives",
    z.union([z.string(), z.int()]),
    [
      ["Text", "text"],
      ["Whole number", "number"],
    ],
  ],
  [
    "objects with a discriminator",
    z.discriminatedUnion("kind", [Circle, Square]),
    [
      ["circle", { kind: "fixed", radius: "number" }],
      ["square", { kind: "fixed", side: "number" }],
    ],
  ],
  [
    "objects with titles",
    z.union([Circle.meta({ title: "A circle" }), z.object({ word: z.string() })]),
    [
      ["A circle", { kind: "fixed", radius: "number" }],
      ["word", { word: "text" }],
    ],
  ],
])("%s have fields of their own", (_what, type, expected) => {
  expect(shape(only(type).control)).toEqual(expected);
});

test("the property that tells alternatives apart is shown by the choice alone", () => {
  const { control } = only(z.discriminatedUnion("kind", [Circle, Square]));
  const first = control.is === "union" ? control.options[0]?.field.control : undefined;
  const fields = first?.is === "object" ? first.fields : [];
  expect(fields[0]?.control).toEqual({ is: "fixed", value: "circle", isShown: false });
});

test("below the deepest level objects are JSON", () => {
  let type: z.ZodType = z.object({ end: z.int() });
  for (let level = 0; level < MOST_DEEP + 2; level += 1) type = z.object({ in: type });
  let { control } = formFor(type) ?? {};
  let depth = 0;
  for (; control?.is === "object"; depth += 1) control = control.fields[0]?.control;
  expect(depth).toBe(MOST_DEEP);
  expect(control?.is).toBe("json");
});

test("a schema that contains itself has a bounded form, and only what was added is in it", () => {
  const Tree = z.object({
    name: z.string(),
    get children() {
      return z.array(Tree).optional();
    },
    get other() {
      return z.union([Tree, z.string()]).optional();
    },
  });
  const form = formFor(Tree);
  expect(JSON.stringify(form).length).toBeLessThan(1_000_000);
  expect(form && JSON.stringify(initialDraft(form)).length).toBeLessThan(500);
});

test("references that stand for millions of schemas have a bounded form", () => {
  const $defs = Object.fromEntries(
    Array.from({ length: 11 }, (_, n) => {
      const next = { $ref: `#/$defs/${n + 1}` };
      return [n, { type: "object", properties: { a: next, b: next, c: next, d: next } }];
    }),
  );
  const form = formOf({ $ref: "#/$defs/0", $defs: { ...$defs, 11: { type: "string" } } });
  expect(JSON.stringify(form).length).toBeLessThan(MOST_SCHEMAS * 200);
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
  ["an open lower bound", z.int().positive(), "More than 0"],
  ["open bounds", z.number().gt(0).lt(1), "More than 0, less than 1"],
  ["the number of items", z.array(z.int()).min(1).max(9), "1 to 9"],
  ["the lowest number of items", z.array(z.int()).min(2), "At least 2"],
  ["the highest number of items", z.array(z.int()).max(2), "At most 2"],
  ["the only number of items", z.array(z.int()).length(2), "Exactly 2"],
  ["the zone of a time", z.iso.datetime(), "In your time zone"],
])("a hint has %s", (_what, type, hint) => {
  expect(only(type).hint).toBe(hint);
});

test("an input that is a single value, anything or null has no form", () => {
  expect(formFor(z.unknown())).toBeUndefined();
  expect(formFor(z.string())).toBeUndefined();
  expect(formFor(z.object({ a: z.int() }).nullable())).toBeUndefined();
  expect(fieldsFor(z.object({}))).toEqual([]);
  expect(formFor(z.record(z.string(), z.int()))?.control.is).toBe("record");
  expect(formFor(z.union([Circle, Square]))?.control.is).toBe("union");
  expect(formFor(z.array(Circle))?.control.is).toBe("array");
});

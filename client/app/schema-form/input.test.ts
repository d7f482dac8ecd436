import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { z } from "zod";
import { type Field, fieldsOf } from "./fields.ts";
import { initialTexts, makeInput, placeErrors, textsOf } from "./input.ts";

function fieldsFor(type: z.ZodType): Field[] {
  const fields = fieldsOf(z.toJSONSchema(type, { io: "input" }));
  if (fields === undefined) throw new Error("There is no form.");
  return fields;
}

const EVERYTHING = z.object({
  url: z.url(),
  text: z.string(),
  count: z.int(),
  ratio: z.number().optional(),
  mode: z.enum(["fast", "slow"]).default("fast"),
  level: z.literal([1, 2, 3]).optional(),
  flag: z.boolean(),
  maybe: z.boolean().optional(),
  note: z.string().nullable(),
  tags: z.array(z.string()),
  sizes: z.array(z.int()).optional(),
  inner: z.object({ a: z.int() }).optional(),
});
const fields = fieldsFor(EVERYTHING);

describe("texts of a form", () => {
  test("make the input that the kind takes", () => {
    const { input, errors } = makeInput(fields, {
      ...initialTexts(fields),
      url: "https://example.com/",
      text: " two\nlines ",
      count: " 12 ",
      ratio: "1e-3",
      level: "2",
      flag: "true",
      maybe: "false",
      tags: "a\n\n b\n",
      sizes: "320\n640\n",
      inner: '{ "a": 1 }',
    });
    expect([...errors]).toEqual([]);
    expect(input).toEqual({
      url: "https://example.com/",
      text: " two\nlines ",
      count: 12,
      ratio: 0.001,
      mode: "fast",
      level: 2,
      flag: true,
      maybe: false,
      note: null,
      tags: ["a", " b"],
      sizes: [320, 640],
      inner: { a: 1 },
    });
    expect(EVERYTHING.safeParse(input).success).toBe(true);
  });

  test("that are empty are left out, or are errors where a value is needed", () => {
    const { input, errors } = makeInput(fields, { ...initialTexts(fields), mode: "" });
    expect(input).toEqual({ flag: false, note: null, tags: [] });
    expect([...errors]).toEqual([
      ["url", "Is missing"],
      ["text", "Is missing"],
      ["count", "Is missing"],
    ]);
  });

  test.each([
    ["count", "1.5", "“1.5” is not a whole number"],
    ["count", "0x10", "“0x10” is not a whole number"],
    ["count", "9007199254740993", "“9007199254740993” is not a whole number"],
    ["ratio", "1,5", "“1,5” is not a number, such as 1.5"],
    ["ratio", "Infinity", "“Infinity” is not a number, such as 1.5"],
    ["ratio", "1e999", "“1e999” is not a number, such as 1.5"],
    ["sizes", "1\nx", "“x” is not a whole number"],
    ["inner", "{", expect.stringMatching(/^Is not JSON: /)],
  ])("%s = %j is an error", (name, text, error) => {
    const { input, errors } = makeInput(fields, { ...initialTexts(fields), [name]: text });
    expect(errors.get(name)).toEqual(error);
    expect(input).not.toHaveProperty(name);
  });
});

describe("an input", () => {
  test("that the form shows is given back by it", () => {
    const value = fc.oneof(
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.oneof(fc.string(), fc.integer())),
      fc.constantFrom("", "fast", "true", "1", "a\nb", " "),
    );
    const names = [...fields.map(({ name }) => name), "unknown"];
    const inputs = fc.dictionary(fc.constantFrom(...names), value);
    fc.assert(
      fc.property(inputs, (given) => {
        const input = JSON.parse(JSON.stringify(given)) as Record<string, unknown>;
        const texts = textsOf(fields, input);
        if (texts === undefined) return;
        const again = makeInput(fields, texts).input;
        const standards = makeInput(fields, initialTexts(fields)).input;
        expect({ ...standards, ...input }).toEqual({ ...standards, ...again });
      }),
    );
  });

  test("that the form makes is shown with its texts", () => {
    const input = {
      url: "https://a.test",
      text: "x",
      count: 0,
      flag: true,
      note: "n",
      tags: ["a"],
    };
    expect(textsOf(fields, input)).toEqual({
      ...initialTexts(fields),
      url: "https://a.test",
      text: "x",
      count: "0",
      flag: "true",
      note: "n",
      tags: "a",
    });
  });

  test.each([
    ["a property that the form does not have", { other: 1 }],
    ["a value of another type", { count: "12" }],
    ["an item with a line break", { tags: ["a\nb"] }],
    ["an item that is blank", { tags: [" "] }],
    ["an optional null", { ratio: null }],
    ["no object", [1]],
    ["nothing", null],
  ])("with %s is not shown", (_what, input) => {
    expect(textsOf(fields, input)).toBeUndefined();
  });

  test("that lacks a field with a default shows the default", () => {
    const some = fieldsFor(z.object({ flag: z.boolean().default(true), n: z.int().default(3) }));
    expect(textsOf(some, {})).toEqual({ flag: "true", n: "3" });
  });
});

test("properties may have the names of inherited ones", () => {
  const odd = fieldsOf(
    JSON.parse(
      '{"type":"object","required":["__proto__"],"properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}}}',
    ) as object,
  );
  const made = makeInput(odd ?? [], { ...initialTexts(odd ?? []), constructor: "c" });
  expect([...made.errors]).toEqual([["__proto__", "Is missing"]]);
  expect(JSON.stringify(made.input)).toBe('{"constructor":"c"}');
  const texts = textsOf(odd ?? [], JSON.parse('{"__proto__":"p"}'));
  expect(JSON.stringify(makeInput(odd ?? [], texts ?? {}).input)).toBe('{"__proto__":"p"}');
});

test("the server's errors stand at their fields, and the others are told", () => {
  const placed = placeErrors(fields, {
    "input.url": ["Invalid URL", "Too short"],
    "input.tags": ["Too small"],
    "input.sizes.1": ["Too big"],
    "input.inner.a.0": ["Not so"],
    input: ["Unrecognized key: x"],
    "input.urls": ["No such field"],
    idempotencyKey: ["Too long"],
  });
  expect([...placed.errors]).toEqual([
    ["url", "Invalid URL"],
    ["tags", "Too small"],
    ["sizes", "Item 2: Too big"],
    ["inner", "a.0: Not so"],
  ]);
  expect(placed.others).toEqual([
    "Unrecognized key: x",
    "urls: No such field",
    "idempotencyKey: Too long",
  ]);
});

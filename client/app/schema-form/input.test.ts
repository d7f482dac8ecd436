import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { z } from "zod";
import {
  addPart,
  changePart,
  choose,
  type Draft,
  draftOf,
  givenDraft,
  type Group,
  initialDraft,
  removePart,
} from "./draft.ts";
import { type Field, formOf } from "./fields.ts";
import { draftOfInput, makeInput, placeErrors } from "./input.ts";

function formFor(type: z.ZodType): Field {
  const form = formOf(z.toJSONSchema(type, { io: "input" }));
  if (form === undefined) throw new Error("There is no form.");
  return form;
}

const Circle = z.strictObject({ kind: z.literal("circle"), radius: z.number() });
const Square = z.strictObject({ kind: z.literal("square"), side: z.number().optional() });

const EVERYTHING = z.strictObject({
  url: z.url(),
  text: z.string(),
  count: z.int(),
  ratio: z.number().optional(),
  mode: z.enum(["fast", "slow"]).default("fast"),
  level: z.literal([1, 2, 3]).optional(),
  version: z.literal(2),
  flag: z.boolean(),
  maybe: z.boolean().optional(),
  note: z.string().nullable(),
  at: z.iso.datetime().optional(),
  tags: z.array(z.string()),
  sizes: z.array(z.int()).optional(),
  words: z.array(z.string()).default(["a"]),
  inner: z.strictObject({ a: z.int(), b: z.string().optional() }).optional(),
  needed: z.strictObject({ c: z.boolean().default(true) }),
  people: z
    .array(z.strictObject({ name: z.string(), ages: z.array(z.int()).optional() }))
    .optional(),
  labels: z.record(z.string(), z.int()).optional(),
  shape: z.discriminatedUnion("kind", [Circle, Square]).optional(),
  either: z.union([z.int(), z.string(), z.array(z.string())]).nullable(),
  free: z.unknown().optional(),
});
const form = formFor(EVERYTHING);
const names = form.control.is === "object" ? form.control.fields.map(({ name }) => name) : [];

const FULL = {
  url: "https://example.com/",
  text: " two\nlines ",
  count: 12,
  ratio: 0.001,
  mode: "slow",
  level: 2,
  version: 2,
  flag: true,
  maybe: false,
  note: "n",
  at: "2026-01-31T12:00:00Z",
  tags: ["a", "b\nc"],
  sizes: [320, 640],
  words: ["b"],
  inner: { a: 1, b: "x" },
  needed: { c: false },
  people: [{ name: "Ann", ages: [1, 2] }, { name: "Bob" }],
  labels: { one: 1, __proto: 2, constructor: 3 },
  shape: { kind: "square", side: 2 },
  either: ["a"],
  free: { a: [1, null] },
};

const groupOf = (draft: Draft | undefined): Group => {
  if (draft === undefined || typeof draft === "string") throw new Error("It is no group.");
  return draft;
};
const indexOf = (name: string) => names.indexOf(name);
const fieldAt = (name: string): Field => {
  const field = form.control.is === "object" ? form.control.fields[indexOf(name)] : undefined;
  if (field === undefined) throw new Error(`There is no field ${name}.`);
  return field;
};
const at = (draft: Draft, name: string) => groupOf(draft).parts[indexOf(name)]?.draft;
const put = (draft: Draft, name: string, value: Draft) =>
  changePart(groupOf(draft), indexOf(name), { draft: value });

const place = (name: string, rest = "") => `-${indexOf(name)}${rest}`;

describe("a form", () => {
  test("gives back an input with everything that it has controls for", () => {
    const draft = draftOfInput(form, FULL);
    const { input, errors } = makeInput(form, draft ?? "");
    expect([...errors]).toEqual([]);
    expect(input).toEqual(FULL);
    expect(EVERYTHING.safeParse(input).success).toBe(true);
  });

  test("that is untouched leaves out what it may, and tells what is missing", () => {
    const { input, errors } = makeInput(form, initialDraft(form));
    expect(input).toEqual({
      mode: "fast",
      version: 2,
      flag: false,
      note: null,
      tags: [],
      words: ["a"],
      needed: { c: true },
      either: null,
    });
    expect([...errors]).toEqual([
      ["-0", "Is missing"],
      ["-1", "Is missing"],
      ["-2", "Is missing"],
    ]);
  });

  test.each([
    ["count", "1.5", "“1.5” is not a whole number"],
    ["count", "0x10", "“0x10” is not a whole number"],
    ["count", "9007199254740993", "“9007199254740993” is not a whole number"],
    ["ratio", "1,5", "“1,5” is not a number, such as 1.5"],
    ["ratio", "Infinity", "“Infinity” is not a number, such as 1.5"],
    ["ratio", "1e999", "“1e999” is not a number, such as 1.5"],
    ["free", "{", expect.stringMatching(/^Is not JSON: /)],
  ])("has an error at %s = %j", (name, text, error) => {
    const { input, errors } = makeInput(form, put(initialDraft(form), name, text));
    expect(errors.get(`-${indexOf(name)}`)).toEqual(error);
    expect(input).not.toHaveProperty(name);
  });

  test("an optional object is absent until it is added, and then has its errors within", () => {
    const added = put(initialDraft(form), "inner", givenDraft(fieldAt("inner").control));
    expect(makeInput(form, initialDraft(form)).input).not.toHaveProperty("inner");
    const { errors } = makeInput(form, added);
    expect(errors.get(`-${indexOf("inner")}-0`)).toBe("Is missing");
  });

  test("items are added and removed, and keep their keys", () => {
    const draft = draftOfInput(form, FULL) ?? "";
    let sizes = removePart(groupOf(at(draft, "sizes")), 0);
    sizes = addPart(sizes, "x");
    const made = makeInput(form, put(draft, "sizes", sizes));
    expect(made.errors.get(`-${indexOf("sizes")}-2`)).toBe("“x” is not a whole number");
    sizes = removePart(sizes, 2);
    expect(addPart(sizes, "1").parts.map(({ key }) => key)).toEqual([1, 3]);
    expect(makeInput(form, put(draft, "sizes", sizes)).input).toMatchObject({ sizes: [640] });
    const none = removePart(sizes, 1);
    expect(makeInput(form, put(draft, "sizes", none)).input).not.toHaveProperty("sizes");
  });

  test("a list that a person has emptied is sent where the server has a default for it", () => {
    const words = groupOf(at(initialDraft(form), "words"));
    const emptied = put(initialDraft(form), "words", removePart(words, 0));
    expect(makeInput(form, emptied).input).toMatchObject({ words: [] });
  });

  test("a required list begins with the fewest items that it takes", () => {
    const pairs = formFor(z.object({ pair: z.array(z.object({ a: z.int() })).min(2) }));
    const { input, errors } = makeInput(pairs, initialDraft(pairs));
    expect(input).toEqual({ pair: [{}, {}] });
    expect([...errors.keys()]).toEqual(["-0-0-0", "-0-1-0"]);
  });

  test("entries of a record need names that differ", () => {
    let labels = givenDraft(fieldAt("labels").control) as Group;
    for (const name of ["a", "a", ""]) {
      labels = addPart(labels, "1");
      labels = changePart(labels, labels.next - 1, { name });
    }
    const { errors } = makeInput(form, put(initialDraft(form), "labels", labels));
    expect(errors.get(place("labels", "-1-name"))).toBe("Stands here twice");
    expect(errors.get(place("labels", "-2-name"))).toBe("Is missing");
  });

  test("a union asks for a choice, and another one begins anew", () => {
    const { control } = fieldAt("shape");
    if (control.is !== "union") throw new Error("It is no union.");
    const none = groupOf(at(initialDraft(form), "shape"));
    const circle = choose(none, control.options, 0);
    const square = choose(circle, control.options, 1);
    expect(circle.parts[0]?.key).not.toBe(square.parts[0]?.key);
    const inputOf = (shape: Group) => makeInput(form, put(initialDraft(form), "shape", shape));
    expect(inputOf(circle).errors.get(`-${indexOf("shape")}-0-1`)).toBe("Is missing");
    expect(inputOf(square).input).toMatchObject({ shape: { kind: "square" } });
    expect(inputOf(choose(square, control.options, -1)).input).not.toHaveProperty("shape");
    const needed = formFor(z.object({ shape: z.union([Circle, Square]) }));
    expect([...makeInput(needed, initialDraft(needed)).errors]).toEqual([["-0", "Is missing"]]);
  });

  test("a time is shown in the zone of the person, and sent in UTC", () => {
    const draft = draftOf(fieldAt("at"), "2026-01-31T14:00:00+02:00");
    expect(draft).toMatch(/^2026-0[12]-\d\dT\d\d:00:00$/);
    const made = makeInput(form, put(initialDraft(form), "at", draft));
    expect(made.input).toMatchObject({ at: "2026-01-31T12:00:00Z" });
  });
});

describe("an input", () => {
  test("that the form shows is given back by it", () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom("", "fast", "true", "1", "a\nb", " ", "2026-01-31T12:00:00Z", 2, 320),
      fc.constantFrom(...Object.values(FULL)),
      fc.array(fc.oneof(fc.string(), fc.integer())),
    );
    const changes = fc.dictionary(fc.constantFrom(...names, "unknown"), value, { maxKeys: 3 });
    const without = fc.subarray(Object.keys(FULL), { maxLength: 3 });
    let shown = 0;
    fc.assert(
      fc.property(changes, without, (changed, left) => {
        const kept = Object.entries(FULL).filter(([name]) => !left.includes(name));
        const given = { ...Object.fromEntries(kept), ...changed };
        const input = JSON.parse(JSON.stringify(given)) as Record<string, unknown>;
        const draft = draftOfInput(form, input);
        if (draft === undefined) return;
        shown += 1;
        const again = makeInput(form, draft).input as object;
        const standards = makeInput(form, initialDraft(form)).input as object;
        expect({ ...standards, ...input }).toEqual({ ...standards, ...again });
      }),
    );
    expect(shown).toBeGreaterThan(5);
  });

  test.each([
    ["a property that the form does not have", { other: 1 }],
    ["a nested one", { inner: { a: 1, other: 1 } }],
    ["a value of another type", { count: "12" }],
    ["a list in place of an object", { inner: [] }],
    ["an object in place of a list", { tags: {} }],
    ["an alternative that there is not", { shape: { kind: "line" } }],
    ["a time of another form", { at: "2026-01-31T14:00:00+02:00" }],
    ["null where the form has absence", { inner: null }],
    ["more items than the form holds", { tags: Array.from({ length: 101 }, String) }],
    ["no object", "text"],
    ["null", null],
  ])("with %s is no input of the form", (_what, input) => {
    expect(draftOfInput(form, input)).toBeUndefined();
  });
});

test("fields may have the names of properties that all objects have", () => {
  const odd = formOf(
    JSON.parse(
      '{"type":"object","required":["__proto__","constructor"],"properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}}}',
    ) as object,
  );
  if (odd === undefined) throw new Error("There is no form.");
  const made = makeInput(odd, changePart(groupOf(initialDraft(odd)), 1, { draft: "c" }));
  expect([...made.errors]).toEqual([["-0", "Is missing"]]);
  expect(JSON.stringify(made.input)).toBe('{"constructor":"c"}');
  const draft = draftOfInput(odd, JSON.parse('{"__proto__":"p"}'));
  expect(JSON.stringify(makeInput(odd, draft ?? "").input)).toBe('{"__proto__":"p"}');
});

test("the server's errors stand at their fields, and the others are told", () => {
  const draft = draftOfInput(form, FULL) ?? "";
  const placed = placeErrors(form, draft, {
    "input.url": ["Invalid URL", "Too short"],
    "input.tags": ["Too small"],
    "input.sizes.1": ["Too big"],
    "input.people.1.name": ["Too short"],
    "input.people.0.ages.1": ["Too old"],
    "input.people.7.name": ["Is gone"],
    "input.labels.constructor": ["Not so"],
    "input.shape.side": ["Too long"],
    "input.free.a.0": ["Not so"],
    input: ["Unrecognized key: x"],
    "input.urls": ["No such field"],
    idempotencyKey: ["Too long"],
  });
  expect([...placed.errors]).toEqual([
    [place("url"), "Invalid URL"],
    [place("tags"), "Too small"],
    [place("sizes", "-1"), "Too big"],
    [place("people", "-1-0"), "Too short"],
    [place("people", "-0-1-1"), "Too old"],
    [place("people"), "7.name: Is gone"],
    [place("labels", "-2"), "Not so"],
    [place("shape", "-0-1"), "Too long"],
    [place("free"), "a.0: Not so"],
  ]);
  expect(placed.others).toEqual([
    "Unrecognized key: x",
    "urls: No such field",
    "idempotencyKey: Too long",
  ]);
});

test("errors within what is not shown stand at the nearest field that is", () => {
  const { errors } = placeErrors(form, initialDraft(form), { "input.inner.a": ["Too big"] });
  expect([...errors]).toEqual([[`-${indexOf("inner")}`, "a: Too big"]]);
});

import fc from "fast-check";
import superjson from "superjson";
import { expect, test } from "vitest";
import { AnnotationError, applyAnnotations } from "./annotations.ts";

/**
 * Serialises a value as a stock client does, but copies it without JSON.parse, which in Node 26.10 confuses keys with
 * backslashes.
 */
const sent = (value: unknown) => structuredClone(superjson.serialize(value));

function received(value: unknown): unknown {
  const { json, meta } = sent(value);
  return applyAnnotations(json, meta);
}

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

const key = fc.string({ unit: fc.constantFrom("a", "b", ".", "\\", "0", "ä"), maxLength: 5 });
const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.date({ noInvalidDate: true }),
);
const { value: stockInput } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.array(tie("value")),
    fc.dictionary(key, tie("value")),
  ),
}));

test("[H1] dates and undefined of a stock client are restored, under any keys", () => {
  fc.assert(
    fc.property(stockInput, (value) => {
      expect(received(value)).toEqual(superjson.deserialize(sent(value)));
    }),
  );
});

test("[H1] an object that an input uses twice is restored in full both times", () => {
  const shared = { at: new Date(0), none: undefined };
  const input = { first: shared, others: [shared, { again: shared }] };
  const { json, meta } = JSON.parse(superjson.stringify(input)) as ReturnType<typeof sent>;
  expect(meta).toHaveProperty("referentialEqualities");
  expect(applyAnnotations(json, meta)).toEqual(input);
});

test.each([
  [new Map([[1, 2]]), "map"],
  [new Set([1]), "set"],
  [10n, "bigint"],
  [/x/, "regexp"],
  [new Error("x"), "Error"],
  [new URL("https://example.com/"), "URL"],
  [Number.NaN, "number"],
  [-0, "number"],
  [new Uint8Array(3), "typed-array"],
])("[H1] %s is refused by name, at the root and below", (value, name) => {
  const refused = `The input is annotated as "${name}"`;
  expect(() => received(value)).toThrow(refused);
  expect(() => received({ list: [{ value }] })).toThrow(`${refused} at "list.0.value"`);
  expect(() => received(value)).toThrow(AnnotationError);
});

test.each<[what: string, json: unknown, meta: unknown]>([
  ["an array of any length", { length: 2e9 }, { values: [["typed-array", "Uint8Array"]] }],
  ["a class", {}, { values: [["class", "Job"]] }],
  ["a custom type", 1, { values: { "": [["custom", "x"]] } }],
  ["an unknown type", 1, { values: ["x".repeat(1e6)] }],
  ["a type that is an object", 1, { values: [{}] }],
  ["a type with children", { a: { b: "" } }, { values: { a: ["Date", { b: ["Date"] }] } }],
  ["no type", 1, { values: [] }],
  ["a tree of objects", { a: { b: "" } }, { values: { a: { b: ["Date"] } } }],
  ["values that are a text", 1, { values: "Date" }],
  ["a meta that is a text", 1, "Date"],
  ["a place that is not there", { a: 1 }, { values: { b: ["undefined"] } }],
  ["a place below a text", { a: "text" }, { values: { "a.length": ["undefined"] } }],
  ["the length of a list", { a: [1] }, { values: { "a.length": ["undefined"] } }],
  ["a prototype", { a: 1 }, { values: { "__proto__.x": ["undefined"] } }],
  ["a constructor", { a: 1 }, { values: { "constructor.prototype": ["undefined"] } }],
  ["a prototype that JSON made", JSON.parse('{"__proto__":1}'), { values: { __proto__x: [] } }],
  ["a date that is a number", 5, { values: ["Date"] }],
  ["an invalid date", { a: "soon" }, { values: { a: ["Date"] } }],
])("[H1] %s is refused in a short message, before anything is built", (_what, json, meta) => {
  const before = JSON.stringify(json);
  const thrown = thrownBy(() => applyAnnotations(json, meta));
  expect(thrown).toBeInstanceOf(AnnotationError);
  expect((thrown as Error).message.length).toBeLessThan(250);
  expect(JSON.stringify(json)).toBe(before);
});

test("[H1] a name that is cut at an emoji is shown in well-formed Unicode", () => {
  const meta = { values: [`${"x".repeat(59)}😀`] };
  expect(() => applyAnnotations(1, meta)).toThrow(`annotated as "${"x".repeat(59)}…".`);
});

test.each(["constructor", "prototype", "__proto__"])(
  "[H1] [J13] a date at or below an own key %j is restored, and no prototype changes",
  (key) => {
    const json: unknown = JSON.parse(`{"${key}":{"at":"1970-01-01T00:00:00.000Z","${key}":""}}`);
    const values = { [`${key}.at`]: ["Date"], [`${key}.${key}`]: ["undefined"] };
    const input = applyAnnotations(json, { values }) as object;
    expect(Object.entries(input)).toEqual([[key, expect.any(Object)]]);
    const [inner] = Object.values(input) as object[];
    expect(Object.entries(inner ?? {})).toEqual([
      ["at", new Date(0)],
      [key, undefined],
    ]);
    expect(Object.getPrototypeOf(input)).toBe(Object.prototype);
    expect({}).not.toHaveProperty("at");
  },
);

test("[H1] superjson's annotations of versions and equal objects are ignored, whatever they contain", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (v, referentialEqualities) => {
      expect(applyAnnotations({ a: 1 }, { v, referentialEqualities })).toEqual({ a: 1 });
    }),
  );
});

test("[H1] no annotation makes anything but a Date, undefined or an AnnotationError", () => {
  const path = fc.string({ unit: fc.constantFrom("a", ".", "\\", "0", "__proto__", "length") });
  const type = fc.oneof(fc.constantFrom("Date", "undefined", "map", "set", "__proto__"), leaf);
  const values = fc.oneof(fc.array(type), fc.dictionary(path, fc.array(type)), fc.jsonValue());
  fc.assert(
    fc.property(fc.jsonValue(), values, (json, annotations) => {
      expect(thrownBy(() => applyAnnotations(json, { values: annotations }))).toSatisfy(
        (error) => error === undefined || error instanceof AnnotationError,
      );
      expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("a");
    }),
    { numRuns: 500 },
  );
});

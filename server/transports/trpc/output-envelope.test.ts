import fc from "fast-check";
import superjson from "superjson";
import { expect, test } from "vitest";
import { serializeOutput } from "./output-envelope.ts";

/** Decodes a value as a stock client does. */
function read(value: unknown): unknown {
  return superjson.deserialize(JSON.parse(JSON.stringify(serializeOutput(value))) as never);
}

const key = fc.string({ unit: fc.constantFrom("a", "b", ".", "0", "ä"), maxLength: 5 });
const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.date({ noInvalidDate: true }),
);
const { value: record } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.array(tie("value")),
    fc.dictionary(key, tie("value")),
  ),
}));

test("dates at any depth are written as superjson itself writes them", () => {
  fc.assert(
    fc.property(record, (value) => {
      expect(read(value)).toEqual(value);
      expect(serializeOutput(value)).toEqual({
        ...superjson.serialize(value),
        meta: metaOf(value),
      });
    }),
  );
});

/** Removes superjson's annotation of equal objects: our output holds each of them in full. */
function metaOf(value: unknown) {
  const { meta } = superjson.serialize(value);
  return meta?.values && { values: meta.values, v: meta.v };
}

test.each([
  undefined,
  { none: undefined, at: new Date(0) },
  [{ at: new Date(0), none: undefined }],
])("%j is written without its undefined properties", (value) => {
  expect(read(value)).toEqual(value);
});

test("an invalid date is null", () => {
  expect(read({ at: new Date(Number.NaN) })).toEqual({ at: null });
});

test("[J13] a stock client reads keys that superjson refuses to write", () => {
  const at = new Date(0);
  const value = { at, output: { constructor: 1, prototype: { constructor: { name: [1] } } } };
  expect(read({ items: [value, { at, output: null }] })).toEqual({
    items: [value, { at, output: null }],
  });
});

test("[J13] a key `__proto__` is in the text, and read by a client that deserialises in place", () => {
  const output: unknown = JSON.parse('{"__proto__":{"a":1},"b":2}');
  const text = JSON.stringify(serializeOutput({ at: new Date(0), output }));
  const { at, output: got } = superjson.parse<{ at: Date; output: object }>(text);
  expect(at).toEqual(new Date(0));
  expect(JSON.stringify(got)).toBe('{"__proto__":{"a":1},"b":2}');
  expect(Object.getPrototypeOf(got)).toBe(Object.prototype);
  // The stock link copies the value first, which drops the key.
  expect(read({ output })).toEqual({ output: { b: 2 } });
});

test("a date below a key `__proto__` sets no prototype, and leaves the value unchanged", () => {
  const at = new Date(0);
  const value = JSON.parse('{"__proto__":{"list":[0]}}') as object;
  const [inner] = Object.values(value) as { list: unknown[] }[];
  inner?.list.push(at);
  const { json } = serializeOutput(value);
  expect(JSON.stringify(json)).toBe('{"__proto__":{"list":[0,"1970-01-01T00:00:00.000Z"]}}');
  expect(Object.getPrototypeOf(json)).toBe(Object.prototype);
  expect(inner?.list).toEqual([0, at]);
});

test("[J13] 6,000 levels are written and read", () => {
  const json = `${"[".repeat(6000)}${"]".repeat(6000)}`;
  expect(JSON.stringify(read(JSON.parse(json)))).toBe(json);
});

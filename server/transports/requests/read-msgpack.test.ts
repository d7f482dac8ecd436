import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { timesOf } from "#test/long-run.ts";
import { MAX_NESTING, MAX_VALUES } from "./json-shape.ts";
import {
  faultOf,
  MsgpackExcess,
  NotJson,
  NotMsgpack,
  readMsgpack,
  valueAt,
} from "./read-msgpack.ts";

const bytesOf = (value: unknown) => Buffer.from(encode(value, { maxDepth: 1000 }));
const nested = (depth: number) => Buffer.concat([Buffer.alloc(depth, 0x91), NIL]);
const NIL = Buffer.of(0xc0);
/** The header of a list. */
function list32(length: number): Buffer {
  const bytes = Buffer.of(0xdd, 0, 0, 0, 0);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

test("reads every JSON value as a writer wrote it", () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const value: unknown = JSON.parse(json);
      expect(readMsgpack(bytesOf(value))).toEqual({ value, hasNotJson: false });
    }),
  );
});

test.each([0, 1, 31, 32, 255, 256, 65_535, 65_536])("reads a text, a list and a map of %i", (n) => {
  const list = Array.from({ length: n }, (_, at) => at * 65_537 - 2 ** 31);
  const map = Object.fromEntries(list.map((each) => [`k${each}`, each]));
  for (const value of ["\u00e9".repeat(n), "\ufffd".repeat(n), list, map]) {
    expect(readMsgpack(bytesOf(value)).value).toEqual(value);
  }
});

test.each([
  [0xca, "readFloat", [0x3f, 0xc0, 0, 0], 1.5],
  [0xd0, "int8", [0x80], -128],
  [0xd1, "int16", [0x80, 0], -32_768],
  [0xd2, "int32", [0x80, 0, 0, 0], -(2 ** 31)],
  [0xd3, "int64", [0xff, 0xe0, 0, 0, 0, 0, 0, 1], Number.MIN_SAFE_INTEGER],
  [0xcf, "uint64", [0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Number.MAX_SAFE_INTEGER],
])("reads numbers of the type 0x%x", (type, _name, bytes, value) => {
  expect(readMsgpack(Buffer.of(type, ...bytes)).value).toBe(value);
});

describe("a value that JSON does not have is named with its place", () => {
  test.each<[string, Buffer, string]>([
    [
      "binary data",
      bytesOf({ a: [0, new Uint8Array(300)] }),
      'At "a.1", the message holds binary data',
    ],
    ["a timestamp", bytesOf({ at: new Date(1) }), "an extension type"],
    [
      "an extension of each size",
      Buffer.of(0x92, 0xd8, 1, ...Buffer.alloc(16), 0xc7, 0, 5),
      "an ext",
    ],
    ["NaN", bytesOf([Number.NaN]), "the number NaN"],
    ["an infinity", bytesOf({ a: -Infinity }), "the number -Infinity"],
    ["uint64", Buffer.of(0xcf, ...Buffer.alloc(8, 0xff)), "The message is an integer beyond 2^53"],
    ["int64", Buffer.of(0xd3, 0x80, ...Buffer.alloc(7)), "The message is an integer beyond 2^53"],
    ["keys that are numbers", Buffer.of(0x81, 1, 2), "a map whose keys are not all texts"],
    ["a key that is a list", Buffer.of(0x91, 0x81, 0x90, 2), 'At "0", the message holds a map'],
  ])("%s", (_name, bytes, fault) => {
    const { value, hasNotJson } = readMsgpack(bytes);
    expect(hasNotJson).toBe(true);
    expect(faultOf(value)).toContain(fault);
    expect(faultOf(value)).toMatch(/, which JSON does not have\. Send what JSON has\.$/);
  });

  test("and none in a value that is JSON", () => {
    expect(faultOf({ a: [null, "x", 1, { b: true }] })).toBeUndefined();
  });
});

test("takes any text for a key, the last of equal keys counts, and no prototype is set", () => {
  const proto = Buffer.from(
    "\u0083\u00a9__proto__\u0081\u00a1x\u0001\u00a1a\u0001\u00a1a\u0002",
    "latin1",
  );
  const { value } = readMsgpack(proto);
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(JSON.stringify(value)).toBe('{"__proto__":{"x":1},"a":2}');
  expect({}).not.toHaveProperty("x");
});

test.each<[string, Buffer]>([
  ["nothing", Buffer.of()],
  ["a reserved type", Buffer.of(0xc1)],
  ["a list of four billion", list32(0xffffffff)],
  ["a list that ends early", Buffer.of(0x92, 1)],
  ["a map that ends early", Buffer.of(0x81, 0xa1, 0x61)],
  ["a map whose bytes suffice for its keys alone", Buffer.of(0x82, 0xa0, 0xa0)],
  ["a text of four billion bytes", Buffer.of(0xdb, 0xff, 0xff, 0xff, 0xff, 0x61)],
  ["binary data that end early", Buffer.of(0xc6, 0xff, 0xff, 0xff, 0xff, 0)],
  ["an extension that ends early", Buffer.of(0xc9, 0xff, 0xff, 0xff, 0xff, 0)],
  ["a number that ends early", Buffer.of(0xcb, 0, 0)],
  ["a length that ends early", Buffer.of(0xdd, 0)],
  ["bytes after the value", Buffer.of(0x01, 0x02)],
  ["a text that is not UTF-8", Buffer.of(0xa1, 0xff)],
  ["a lone surrogate", Buffer.of(0xa3, 0xed, 0xa0, 0x80)],
])("refuses %s before it takes memory", (_name, bytes) => {
  expect(() => readMsgpack(bytes)).toThrow(
    // Nothing is allocated for a length that exceeds the limit of values, or the bytes.
    expect.objectContaining({ name: expect.stringMatching(/^(?:NotMsgpack|MsgpackExcess)$/) }),
  );
});

test("refuses more levels and more values than JSON may have", () => {
  expect(readMsgpack(nested(MAX_NESTING)).hasNotJson).toBe(false);
  expect(() => readMsgpack(nested(MAX_NESTING + 1))).toThrow(MsgpackExcess);
  expect(() => readMsgpack(nested(1_000_000))).toThrow(MsgpackExcess);
  const nils = (length: number) => Buffer.concat([list32(length), Buffer.alloc(length, NIL)]);
  expect(readMsgpack(nils(MAX_VALUES - 1)).value).toHaveLength(MAX_VALUES - 1);
  expect(() => readMsgpack(nils(MAX_VALUES))).toThrow(MsgpackExcess);
  const many = Buffer.concat([list32(9), ...Array.from({ length: 9 }, () => nils(30_000))]);
  expect(() => readMsgpack(many)).toThrow(MsgpackExcess);
});

test("any bytes are read or refused, and nothing else is thrown", () => {
  fc.assert(
    fc.property(
      fc.json(),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
      (json, changes) => {
        const bytes = bytesOf(JSON.parse(json));
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        const { value, hasNotJson } = readOrRefused(bytes);
        expect(hasNotJson || JSON.stringify(value) !== undefined).toBe(true);
        expect(faultOf(value) !== undefined).toBe(hasNotJson && holdsNotJson(value));
      },
    ),
    { numRuns: timesOf(300, 20_000) },
  );
});

/** Throws what is thrown but for the errors of the reader. */
function readOrRefused(bytes: Buffer): ReturnType<typeof readMsgpack> {
  try {
    return readMsgpack(bytes);
  } catch (error) {
    if (error instanceof NotMsgpack || error instanceof MsgpackExcess) {
      return { value: null, hasNotJson: false };
    }
    throw error;
  }
}

/** False for one that a later member of the same key replaced. */
function holdsNotJson(value: unknown): boolean {
  if (value instanceof NotJson) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(holdsNotJson);
}

test("`undefined` of notepack.io is left out as in JSON, where the reader takes it", () => {
  const none = [0xd4, 0, 0];
  const bytes = Buffer.of(0x83, 0xa1, 0x61, ...none, 0xa1, 0x62, 0x91, ...none, 0xa1, 0x63, 1);
  expect(readMsgpack(bytes, true)).toEqual({ value: { b: [null], c: 1 }, hasNotJson: false });
  expect(readMsgpack(bytes).hasNotJson).toBe(true);
  const other = Buffer.of(0x92, 0xd4, 1, 0, 7);
  expect(readMsgpack(other, true)).toEqual({
    value: [expect.any(NotJson), 7],
    hasNotJson: true,
  });
  expect(readMsgpack(Buffer.of(...none), true).value).toBeNull();
});

test("the value at a place is read whatever follows it", () => {
  expect(valueAt(Buffer.of(0x81, 0xa1, 0x61, 7, 0xc1), 3)).toBe(7);
  expect(valueAt(Buffer.of(0x81), 1)).toBeUndefined();
});

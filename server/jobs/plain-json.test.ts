import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exceeds, plainJson } from "./plain-json.ts";

const MAX = 1024;
const jsonOf = (value: unknown) => {
  const plain = plainJson(value, MAX, "output");
  return plain.ok ? JSON.stringify(plain.value) : plain;
};
const nested = (levels: number) =>
  JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`) as unknown;

function argumentsOf(..._given: unknown[]): unknown {
  return arguments; // oxlint-disable-line prefer-rest-params
}

class Point {
  readonly x = 1;
}

describe("[J13] JSON", () => {
  test("of any shape and with any keys is taken as it is", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain = plainJson(value, MAX * MAX, "output");
        expect(plain).toEqual({ ok: true, value: JSON.parse(JSON.stringify(value)) as unknown });
      }),
    );
  });

  test.each(["constructor", "prototype", "__proto__", "toString", "toJSON", "hasOwnProperty", ""])(
    "with a key %j of its own keeps it",
    (key) => {
      const json = `{"a":[{${JSON.stringify(key)}:{"b":null}}],${JSON.stringify(key)}:1}`;
      expect(jsonOf(JSON.parse(json))).toBe(json);
    },
  );

  test("is a value of its own, of whose parts each was read once", () => {
    let reads = 0;
    const value = {
      get n() {
        return (reads += 1);
      },
    };
    const plain = plainJson(value, MAX, "output");
    expect(plain).toEqual({ ok: true, value: { n: 1 } });
    expect(JSON.stringify(plain)).toContain('{"n":1}');
  });

  test.each<[string, unknown, string]>([
    ["undefined", undefined, "null"],
    [
      "undefined in a list and in a property",
      [undefined, { a: undefined, b: 1 }],
      '[null,{"b":1}]',
    ],
    ["a hole in a list", [1, , 2], "[1,null,2]"], // oxlint-disable-line no-sparse-arrays
    ["minus zero", [-0], "[0]"],
    ["a Date", { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    ["a URL", [new URL("https://example.com")], '["https://example.com/"]'],
    ["no prototype", Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ["100 levels", nested(100), JSON.stringify(nested(100))],
  ])("is made of %s", (_what, value, json) => {
    expect(jsonOf(value)).toBe(json);
  });
});

describe("[J13] a value that is no JSON is refused with its path:", () => {
  test.each<[string, unknown, string]>([
    ["a Map", new Map([["a", 1]]), "of the class Map"],
    ["a Set", new Set([1]), "of the class Set"],
    ["a regular expression", /a/, "of the class RegExp"],
    ["an Error", new TypeError("a"), "of the class TypeError"],
    ["a Promise", Promise.resolve(), "of the class Promise"],
    ["bytes", new Uint8Array(2), "of the class Uint8Array"],
    ["an object of a class", new Point(), "of the class Point"],
    ["Math", Math, "of the class Math"],
    ["JSON", JSON, "of the class JSON"],
    ["the arguments of a call", argumentsOf(1), "of the class Arguments"],
    ["a date that is none", new Date(Number.NaN), "it is an invalid Date"],
    ["a boxed text", Object("a"), "of the class String"],
    ["a big integer", 1n, "it is a bigint"],
    ["NaN", Number.NaN, "it is NaN"],
    ["Infinity", Number.POSITIVE_INFINITY, "it is Infinity"],
    ["minus Infinity", Number.NEGATIVE_INFINITY, "it is -Infinity"],
    ["a function", () => 1, "it is a function"],
    ["a symbol", Symbol("a"), "it is a symbol"],
  ])("%s", (_what, value, why) => {
    const fault = { ok: false, fault: "json" };
    const what = expect.stringContaining(why) as string;
    expect(plainJson(value, MAX, "output")).toEqual({ ...fault, path: [], what });
    expect(plainJson({ a: [0, { "b.c": value }] }, MAX, "output")).toEqual({
      ...fault,
      path: ["a", 1, "b.c"],
      what,
    });
    expect(plainJson({ a: { toJSON: () => value } }, MAX, "output")).toMatchObject({
      ok: false,
      path: ["a"],
    });
  });

  test("101 levels", () => {
    const path = Array.from({ length: 100 }, () => 0);
    expect(plainJson(nested(101), MAX, "output")).toMatchObject({ ok: false, fault: "deep", path });
    expect(plainJson(nested(6000), MAX * MAX, "output")).toMatchObject({
      ok: false,
      fault: "deep",
      path,
    });
  });
});

test("[J13] an input is copied as an output is", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const plain = plainJson(value, MAX * MAX, "input");
      expect(plain).toEqual({ ok: true, value: JSON.parse(JSON.stringify(value)) as unknown });
    }),
  );
  const odd = { a: undefined, b: [undefined, { a: undefined }], at: new Date(0) };
  const value = { b: [null, {}], at: "1970-01-01T00:00:00.000Z" };
  expect(plainJson(odd, MAX, "input")).toEqual({ ok: true, value });
  expect(plainJson(undefined, MAX, "input")).toEqual({ ok: true, value: null });
  expect(plainJson([new Map()], MAX, "input")).toMatchObject({ ok: false, path: [0] });
});

test("[J14] lone surrogates are refused where that is asked for, in texts and in keys", () => {
  const what = "has half of a surrogate pair: send well-formed Unicode";
  for (const half of ["\ud83d", "\ude00", "a\ud800b", "\ude00\ud83d"]) {
    expect(plainJson([{ a: half }], MAX, "input")).toEqual({
      ok: false,
      fault: "json",
      path: [0, "a"],
      what,
    });
    expect(plainJson([{ [half]: 1 }], MAX, "input")).toMatchObject({
      path: [0],
      what: `has a key that ${what}`,
    });
    expect(plainJson([{ [half]: half }], MAX, "output")).toEqual({
      ok: true,
      value: [{ [half]: half }],
    });
  }
  expect(plainJson({ "😀": "😀" }, MAX, "input")).toEqual({ ok: true, value: { "😀": "😀" } });
});

test.each<[string, () => unknown, string]>([
  ["as many values as bytes", () => Array.from({ length: MAX }, () => 1), "more than 1,024 bytes"],
  ["a list without items", () => Array.from<undefined>({ length: 0 }).concat(Array(4e9)), "more"],
  ["one byte too many", () => "x".repeat(MAX - 1), "has 1,025 bytes"],
])("[H11] %s exceed a limit, of the client and of the kind", (_what, make, what) => {
  expect(plainJson(make(), MAX, "output")).toMatchObject({ ok: false, fault: "large", path: [] });
  expect(exceeds(make(), MAX)?.what).toContain(what);
});

test("no value that is no JSON hides that the rest of it exceeds a limit", () => {
  const others = [new Map(), 1n, Number.NaN, () => 1, new Point(), new Date(Number.NaN), Math];
  expect(exceeds(others, MAX)).toBeUndefined();
  expect(exceeds([...others, nested(101)], MAX)).toMatchObject({ fault: "deep" });
  expect(exceeds([...others, "x".repeat(MAX)], MAX)).toMatchObject({ fault: "large" });
});

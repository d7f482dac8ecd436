import { decode } from "@msgpack/msgpack";
import fc from "fast-check";
import { expect, test } from "vitest";
import { writeMsgpack } from "./write-msgpack.ts";

const written = (value: unknown) => decode(writeMsgpack(value));

test("writes what JSON would write", () => {
  fc.assert(
    fc.property(fc.anything({ withDate: true, maxDepth: 4 }), (value) => {
      fc.pre(JSON.stringify(value) !== undefined && !JSON.stringify(value).includes("__proto__"));
      expect(written(value)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
  expect(written({ a: undefined, b: [undefined, Number.NaN], c: new Date(0) })).toEqual({
    b: [null, null],
    c: "1970-01-01T00:00:00.000Z",
  });
});

test("replaces lone surrogates, in keys too, and no text that looks like one", () => {
  expect(written({ "k\ud800": ["\udc00x\ud83d", "\u{1f600}", "\\ud800", "\\\ud800"] })).toEqual({
    "k\ufffd": ["\ufffdx\ufffd", "\u{1f600}", "\\ud800", "\\\ufffd"],
  });
});

test("throws the errors of `JSON.stringify`", () => {
  const circle: unknown[] = [];
  circle.push(circle);
  expect(() => writeMsgpack(circle)).toThrow(TypeError);
});

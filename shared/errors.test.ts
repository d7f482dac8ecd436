import { expect, test } from "vitest";
import { asError, isInstance, messageOf } from "./errors.ts";
import { hostileValues } from "#test/hostile-values.ts";
import { MAX_ERROR_CHARS } from "./limits.ts";

test.each(Object.entries(hostileValues()))(
  "%s has a bounded text and becomes a plain error",
  (_what, thrown) => {
    const message = messageOf(thrown);
    expect(message).toBeTypeOf("string");
    expect(message.length).toBeLessThanOrEqual(MAX_ERROR_CHARS);
    const error = asError(thrown);
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
    expect(error.message).toBe(message);
    expect(() => JSON.stringify([error, error.message, error.name, error.stack])).not.toThrow();
    expect(error.stack?.length).toBeLessThanOrEqual(MAX_ERROR_CHARS);
    expect(isInstance(thrown, RangeError)).toBe(false);
  },
);

test("an ordinary error keeps its text, name, code, stack and causes", () => {
  const cause = new TypeError("below");
  const thrown = Object.assign(new RangeError("above", { cause }), { code: "E_ABOVE" });
  const clean = asError(thrown);
  expect(clean).toMatchObject({ message: "above", name: "RangeError", code: "E_ABOVE" });
  expect(clean.stack).toBe(thrown.stack);
  expect(clean.cause).toMatchObject({ message: "below", name: "TypeError" });
  expect(isInstance(thrown, RangeError)).toBe(true);
});

test("an endless chain of causes is cut", () => {
  const loop = new Error("round");
  loop.cause = loop;
  let depth = 0;
  for (let at: unknown = asError(loop); at instanceof Error; at = at.cause) depth += 1;
  expect(depth).toBe(6);
});

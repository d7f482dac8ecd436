import { setTimeout as delay } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { runForeign, runOwn, takeStrayError } from "./foreign-code.ts";

const error = new Error("a bug");

test("[H6] an error belongs to the code in whose scope it is thrown, however much later", async () => {
  const [mine, other] = [vi.fn<(error: unknown) => void>(), vi.fn<(error: unknown) => void>()];
  const taken = await Promise.all([
    runForeign(mine, async () => {
      await delay(1);
      return takeStrayError(error);
    }),
    runForeign(other, async () => {
      await Promise.resolve();
      return takeStrayError("text");
    }),
  ]);
  expect(taken).toEqual([true, true]);
  expect(mine.mock.calls).toEqual([[error]]);
  expect(other.mock.calls).toEqual([["text"]]);
});

test("an error of code of ours is nothing of the foreign code that called it", async () => {
  const stray = vi.fn<(error: unknown) => void>();
  const taken = await runForeign(stray, async () => {
    const later = await runOwn(async () => {
      await delay(1);
      return takeStrayError(error);
    });
    return { later, after: takeStrayError(error) };
  });
  expect(taken).toEqual({ later: false, after: true });
  expect(stray).toHaveBeenCalledOnce();
  expect(takeStrayError(error)).toBe(false);
});

test("the handler of an error runs outside of the scope", () => {
  let inside: boolean | undefined;
  runForeign(
    () => (inside = takeStrayError(error)),
    () => takeStrayError(error),
  );
  expect(inside).toBe(false);
});

import { expect, test } from "vitest";
import { CreationKeys } from "./creation-keys.ts";

/** Records the key of each attempt; those with `true` fail. */
function attempts() {
  const keys = new CreationKeys();
  const used: string[] = [];
  const attempt = (input: unknown, fails = false) =>
    keys
      .use(input, async (key) => {
        used.push(key);
        if (fails) throw new Error("lost");
      })
      .catch(() => undefined);
  return { used, attempt };
}

test("an input has the same key until its job is created, whatever is created meanwhile", async () => {
  const { used, attempt } = attempts();
  await attempt({ to: "Ann" }, true);
  await attempt({ to: "Bob" });
  await attempt({ to: "Ann" }, true);
  await attempt({ to: "Ann" });
  await attempt({ to: "Ann" });
  const [ann, bob, ...more] = used;
  expect(more).toEqual([ann, ann, expect.not.stringContaining(ann ?? "")]);
  expect(bob).not.toBe(ann);
});

test("two clicks at once have one key", async () => {
  const { used, attempt } = attempts();
  await Promise.all([attempt("a"), attempt("a")]);
  expect(new Set(used).size).toBe(1);
});

test("inputs that JSON does not tell apart have keys of their own", async () => {
  const { used, attempt } = attempts();
  for (const input of [new Map([[1, 2]]), new Map([[1, 3]]), {}, undefined, null, 1n, "1"]) {
    await attempt(input, true);
  }
  expect(new Set(used).size).toBe(7);
});

test("keys of the oldest failed inputs are forgotten, so that many inputs need no more memory", async () => {
  const { used, attempt } = attempts();
  for (let n = 0; n < 21; n += 1) await attempt(n, true);
  await attempt(20, true);
  await attempt(0, true);
  expect(used[21]).toBe(used[20]);
  expect(used[22]).not.toBe(used[0]);
});

import { expect, test, vi } from "vitest";

/** True once `looks` have been taken. */
function afterLooks(looks: number) {
  let taken = 0;
  return () => {
    taken += 1;
    expect(taken).toBeGreaterThanOrEqual(looks);
    return taken;
  };
}

test("a wait goes on for longer than vitest's own second, and looks often", async () => {
  // A second has twenty of vitest's looks, and fifty of these.
  await expect(vi.waitFor(afterLooks(75))).resolves.toBe(75);
});

test.each([[1], [{ timeout: 1 }]])("a wait ends when a test says so: %j", async (options) => {
  await expect(vi.waitFor(afterLooks(1000), options)).rejects.toThrow("1000");
});

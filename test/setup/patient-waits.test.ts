import { expect, test, vi } from "vitest";

/** Returns a check that passes after `looks` calls. */
function afterLooks(looks: number) {
  let taken = 0;
  return () => {
    taken += 1;
    expect(taken).toBeGreaterThanOrEqual(looks);
    return taken;
  };
}

test("a wait lasts longer than vitest's default of a second, and checks often", async () => {
  // By default vitest checks twenty times a second, and this setup fifty times.
  await expect(vi.waitFor(afterLooks(75))).resolves.toBe(75);
});

test.each([[1], [{ timeout: 1 }]])("a test can set its own timeout: %j", async (options) => {
  await expect(vi.waitFor(afterLooks(1000), options)).rejects.toThrow("1000");
});

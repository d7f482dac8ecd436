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

test("a wait lasts longer than vitest's default of a second", async () => {
  // With pauses of 20 ms these looks take 0.2 s, and the next ones a second more.
  await expect(vi.waitFor(afterLooks(24))).resolves.toBe(24);
});

test("a long wait checks seldom", async () => {
  const begun = performance.now();
  let looks = 0;
  await vi.waitFor(() => {
    looks += 1;
    expect(performance.now() - begun).toBeGreaterThan(1000);
  });
  expect(looks).toBeLessThan(35);
});

test.each([[1], [{ timeout: 1 }]])("a test can set its own timeout: %j", async (options) => {
  await expect(vi.waitFor(afterLooks(1000), options)).rejects.toThrow("1000");
});

test("a check that does not end is given up", async () => {
  const never = new Promise<void>(() => {});
  await expect(vi.waitFor(() => never, { timeout: 1 })).rejects.toThrow("has not ended in time");
});

test("with replaced timers, a check sees what they call", async () => {
  vi.useFakeTimers();
  try {
    let called = false;
    setTimeout(() => (called = true), 100);
    await vi.waitFor(() => expect(called).toBe(true));
  } finally {
    vi.useRealTimers();
  }
});

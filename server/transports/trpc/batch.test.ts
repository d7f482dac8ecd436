import { expect, test } from "vitest";
import { Batch } from "./batch.ts";

const MIB = 1024 * 1024;
const answer = (length: number) => async () => ({ data: "x".repeat(length) });

test("[H5] sixteen calls of a batch run at a time, and every call runs", async () => {
  const batch = new Batch();
  let running = 0;
  let most = 0;
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      batch.run("query", async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        order.push(n);
        return { data: n };
      }),
    ),
  );
  expect(most).toBe(16);
  expect(order).toEqual(Array.from({ length: 100 }, (_, n) => n));
});

test("[H5] a call that fails frees its slot for the next", async () => {
  const batch = new Batch();
  const calls = Array.from({ length: 50 }, (_, n) =>
    batch.run("query", async () => {
      if (n % 2 === 0) throw new Error("no");
      return { data: n };
    }),
  );
  const outcomes = await Promise.allSettled(calls);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(25);
});

test("[H5] the total size of a batch's answers is bounded, and the error names the limit", async () => {
  const batch = new Batch();
  // A call alone may answer with more.
  await batch.run("query", answer(3 * MIB));
  let ran = 0;
  const next = (type: "query" | "mutation", length: number) =>
    batch.run(type, async () => {
      ran += 1;
      return answer(length)();
    });
  await expect(next("query", 2 * MIB)).rejects.toMatchObject({
    code: "PAYLOAD_TOO_LARGE",
    message: expect.stringContaining("at most 4 MiB") as string,
  });
  // A smaller answer fits.
  await next("query", MIB / 2);
  // A mutation that ran always gets its answer, and nothing runs after it.
  await next("mutation", 2 * MIB);
  expect(ran).toBe(3);
  await expect(next("mutation", 1)).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
  expect(ran).toBe(3);
});

test("[H7] an answer that does not serialise fails its own call, and no other call of the batch", async () => {
  const batch = new Batch();
  const calls = [10n, "fine"].map((data) => batch.run("query", async () => ({ data })));
  expect(await Promise.allSettled(calls)).toMatchObject([
    { status: "rejected", reason: expect.any(TypeError) as TypeError },
    { status: "fulfilled", value: { data: "fine" } },
  ]);
});

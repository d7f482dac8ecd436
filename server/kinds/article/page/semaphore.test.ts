import { expect, test } from "vitest";
import { createSemaphore } from "./semaphore.ts";

const never = new AbortController().signal;

test("at most `permits` tasks run at once, and the others follow in order, also after failures", async () => {
  const pass = createSemaphore(2);
  const ends = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  const entered: number[] = [];
  const passing = ends.map(({ promise }, place) =>
    pass(never, async () => {
      entered.push(place);
      await promise;
    }),
  );
  await Promise.resolve();
  expect(entered).toEqual([0, 1]);
  ends[1]?.reject(new Error("broken"));
  await expect(passing[1]).rejects.toThrow("broken");
  expect(entered).toEqual([0, 1, 2]);
  for (const end of ends) end.resolve();
  await Promise.all([passing[0], passing[2], passing[3]]);
  expect(entered).toEqual([0, 1, 2, 3]);
});

test("an aborted wait rejects with the abort's reason and takes no permit", async () => {
  const pass = createSemaphore(1);
  const first = Promise.withResolvers<string>();
  const inside = pass(never, () => first.promise);
  const controller = new AbortController();
  const waiting = pass(controller.signal, async () => expect.unreachable("it was aborted"));
  const last = pass(never, async () => "last");
  controller.abort(new Error("cancelled"));
  await expect(waiting).rejects.toThrow("cancelled");
  first.resolve("first");
  expect(await inside).toBe("first");
  expect(await last).toBe("last");
  await expect(pass(controller.signal, async () => "")).rejects.toThrow("cancelled");
});

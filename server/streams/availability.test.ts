import { expect, test, vi } from "vitest";
import { createAvailability } from "./availability.ts";

/** An engine whose data a test makes unavailable and available again. */
function openData() {
  const data = { there: true, looks: 0 };
  const engine = {
    async getSummary() {
      data.looks += 1;
      if (!data.there) throw new Error("The data is unavailable.");
      return undefined;
    },
  };
  return { data, engine };
}

test("each subscriber gets the present state and then each change", async () => {
  const { data, engine } = openData();
  const availability = createAvailability(engine, 1);
  const told: boolean[][] = [[], []];
  const stop = new AbortController();
  const all = told.map(async (states) => {
    for await (const state of availability.states(stop.signal)) states.push(state);
  });
  await vi.waitFor(() => expect(told).toEqual([[true], [true]]));
  data.there = false;
  await vi.waitFor(() =>
    expect(told).toEqual([
      [true, false],
      [true, false],
    ]),
  );
  data.there = true;
  await vi.waitFor(() => expect(told[1]).toEqual([true, false, true]));
  stop.abort();
  await Promise.all(all);
});

test("the engine is probed only while there is a subscriber", async () => {
  const { data, engine } = openData();
  const availability = createAvailability(engine, 1);
  expect(data.looks).toBe(0);
  const states = availability.states()[Symbol.asyncIterator]();
  expect(await states.next()).toEqual({ done: false, value: true });
  await vi.waitFor(() => expect(data.looks).toBeGreaterThan(2));
  await states.return?.();
  const { looks } = data;
  const later = availability.states()[Symbol.asyncIterator]();
  await later.next();
  // One probe may have been under way; a scheduler that went on would have made more.
  expect(data.looks - looks).toBeLessThanOrEqual(2);
  await later.return?.();
});

test("closing ends the states", async () => {
  const { engine } = openData();
  const availability = createAvailability(engine, 1);
  const states = availability.states()[Symbol.asyncIterator]();
  await states.next();
  const next = states.next();
  availability.close();
  expect(await next).toEqual({ done: true, value: undefined });
});

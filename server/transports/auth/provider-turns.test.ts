import { EventEmitter } from "node:events";
import { beforeEach, expect, test } from "vitest";
import { MAX_CALLBACKS_OF_ADDRESS, ProviderTurns, type Visit } from "./provider-turns.ts";

let turns: ProviderTurns;
/** The names of those that had their turn, in its order. */
let begun: string[];
let ends: (() => void)[];

beforeEach(() => {
  turns = new ProviderTurns();
  begun = [];
  ends = [];
});

/** Resolves when nothing more happens by itself. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

function visitBy(name: string, address = "home", closed = false) {
  const visit = Object.assign(new EventEmitter(), { closed });
  const turn = turns.take(address, visit as unknown as Visit);
  const took = turn.then((end) => {
    if (end === undefined) return false;
    begun.push(name);
    ends.push(end);
    return true;
  });
  return { visit, took, leave: () => visit.emit("close") };
}
const fill = () => Array.from({ length: MAX_CALLBACKS_OF_ADDRESS }, (_, n) => visitBy(`${n}`));

test("[R6] an address has a few turns at the same time, and the others wait in order", async () => {
  fill();
  for (const name of ["a", "b", "c"]) visitBy(name);
  await settled();
  expect(begun).toHaveLength(MAX_CALLBACKS_OF_ADDRESS);
  for (const end of ends.splice(0, 2)) end();
  await settled();
  expect(begun.slice(MAX_CALLBACKS_OF_ADDRESS)).toEqual(["a", "b"]);
  for (const end of ends.splice(0)) end();
  await settled();
  expect(begun.at(-1)).toBe("c");
  for (const end of ends) end();
  expect(await Promise.all(fill().map(({ took }) => took))).not.toContain(false);
});

test("[R6] another address does not wait", async () => {
  fill();
  expect(await visitBy("a", "elsewhere").took).toBe(true);
});

test("[R6] a client that leaves while it waits has no turn, and takes that of no other", async () => {
  fill();
  const [first, second, third] = [visitBy("a"), visitBy("b"), visitBy("c", "home", true)];
  first.leave();
  expect([await first.took, await third.took]).toEqual([false, false]);
  ends[0]?.();
  expect(await second.took).toBe(true);
  // Its turn lasts until the provider has answered.
  second.leave();
  expect(second.visit.listenerCount("close")).toBe(0);
  visitBy("d");
  await settled();
  expect(begun).toHaveLength(MAX_CALLBACKS_OF_ADDRESS + 1);
});

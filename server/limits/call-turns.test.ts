/** Calls of users in turns of the event loop. */
import { expect, test } from "vitest";
import { CallTurns, MAX_CALLS_A_TURN, MAX_CALLS_AT_ONCE } from "./call-turns.ts";

/** Makes all calls in one turn. Resolves to the turn in which each began, once all have. */
async function turnsOf(calls: readonly string[]): Promise<number[]> {
  const turns = new CallTurns();
  let turn = 0;
  let open = true;
  const count = () => {
    turn += 1;
    if (open) setImmediate(count);
  };
  setImmediate(count);
  const begun = await Promise.all(
    calls.map(async (user) => {
      await turns.of(user);
      return turn;
    }),
  );
  open = false;
  return begun;
}

const times = <T>(count: number, value: T) => Array<T>(count).fill(value);

test("[R8] the calls of a user begin in the order of their arrival, some at once, and a few in each turn", async () => {
  const begun = await turnsOf(times(MAX_CALLS_AT_ONCE + 10 * MAX_CALLS_A_TURN, "ann"));
  const each = Array.from({ length: 10 }, (_, turn) => times(MAX_CALLS_A_TURN, turn + 1));
  expect(begun).toEqual([...times(MAX_CALLS_AT_ONCE, 0), ...each.flat()]);
});

test("[R8] the call of another user begins in the same turn, after however many", async () => {
  const begun = await turnsOf([...times(1000, "ann"), "bob"]);
  expect(begun.at(-1)).toBe(0);
});

test("[R8] a call that comes while others of its user wait begins after them", async () => {
  const turns = new CallTurns();
  const order: number[] = [];
  const call = async (n: number) => {
    await turns.of("ann");
    order.push(n);
  };
  const first = Array.from({ length: 3 * MAX_CALLS_AT_ONCE }, (_, n) => call(n));
  await first[MAX_CALLS_AT_ONCE];
  await Promise.all([...first, call(first.length)]);
  expect(order).toEqual(Array.from({ length: first.length + 1 }, (_, n) => n));
});

test("[R8] a few calls need no turn, and none is kept waiting once the loop has turned", async () => {
  const turns = new CallTurns();
  for (let turn = 0; turn < 3; turn += 1) {
    for (let n = 0; n < MAX_CALLS_AT_ONCE; n += 1) expect(turns.of("ann")).toBeUndefined();
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
});

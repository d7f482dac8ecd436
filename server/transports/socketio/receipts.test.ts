import { expect, test } from "vitest";
import { Receipts } from "./receipts.ts";

const tick = () => new Promise(setImmediate);

function open() {
  const asked: (() => void)[] = [];
  const received: string[] = [];
  const receipts = new Receipts({ ask: (answered) => void asked.push(answered) }, (key, value) =>
    received.push(`${key} ${value}`),
  );
  return { asked, received, receipts };
}

test("one ping is under way at a time, and confirms all values sent before it", async () => {
  const { asked, received, receipts } = open();
  receipts.expect("a", 1);
  receipts.expect("b", 1);
  await tick();
  receipts.expect("a", 2);
  await tick();
  expect(asked).toHaveLength(1);
  asked[0]?.();
  expect(received).toEqual(["a 1", "b 1"]);
  await tick();
  expect(asked).toHaveLength(2);
  asked[1]?.();
  await tick();
  expect(received.slice(2)).toEqual(["a 2"]);
  expect(asked).toHaveLength(2);
});

test("forgotten keys take no memory, even while no ping is answered", async () => {
  const { asked, received, receipts } = open();
  receipts.expect("a", 1);
  receipts.expect("b", 1);
  await tick();
  receipts.expect("c", 1);
  for (const key of ["a", "c"]) receipts.forget(key);
  asked[0]?.();
  await tick();
  expect(received).toEqual(["b 1"]);
  expect(asked).toHaveLength(1);
});

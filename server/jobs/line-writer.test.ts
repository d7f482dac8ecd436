import { expect, test, vi } from "vitest";
import { AppError } from "#shared/errors.ts";
import {
  LOG_LINES_A_SECOND,
  MAX_LINE_CHARS,
  MAX_LINES_AT_ONCE,
  RESERVED_LINES,
} from "#shared/limits.ts";
import type { NewLogLine } from "#shared/log-line.ts";
import { createLineWriter } from "./line-writer.ts";

const AT = new Date(0);

/** A store that takes its time, and a writer with a clock that only the test advances. */
function setUp() {
  const stored: string[] = [];
  const sizes: number[] = [];
  let inside = 0;
  const state = { failure: undefined as unknown, failures: 0, time: 0 };
  const writer = createLineWriter({
    now: () => AT,
    clock: () => state.time,
    async append(lines: readonly NewLogLine[]) {
      expect(++inside, "one commit at a time").toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      if (state.failure !== undefined) {
        state.failures += 1;
        throw state.failure;
      }
      sizes.push(lines.length);
      stored.push(...lines.map(({ message }) => message));
    },
  });
  return { ...writer, stored, sizes, state };
}

const dropped = (count: string) => expect.stringContaining(`${count} dropped here`);

test("[J20] lines of the same moment are stored together and in order, before a flush resolves", async () => {
  const { write, flush, stored, sizes } = setUp();
  const messages = Array.from({ length: 130 }, (_, index) => `line ${index}`);
  for (const message of messages) write("info", message);
  expect(stored).toEqual([]);
  await flush();
  expect(stored).toEqual(messages);
  expect(sizes).toEqual([100, 30]);
});

test("lines are stored soon, even if no more follows", async () => {
  const { write, stored } = setUp();
  write("info", "alone");
  await vi.waitFor(() => expect(stored).toEqual(["alone"]));
});

test("[H11] lines of any length are cut", async () => {
  const { write, flush, stored } = setUp();
  write("info", "m".repeat(5_000_000));
  await flush();
  expect(stored[0]).toHaveLength(MAX_LINE_CHARS);
});

test("[J20] [H11] beyond the pace lines are dropped, and a line in their place says how many", async () => {
  const { write, flush, stored, state } = setUp();
  const writeMany = (count: number, word: string) => {
    for (let index = 0; index < count; index += 1) write("debug", word);
  };
  writeMany(MAX_LINES_AT_ONCE + 30, "first");
  await flush();
  expect(stored).toHaveLength(MAX_LINES_AT_ONCE + 1);
  expect(stored.at(-1)).toEqual(dropped("30 lines were"));

  // One at a time would bring a line about dropped ones with each.
  state.time += 900;
  writeMany(1, "too early");
  state.time += 100;
  writeMany(LOG_LINES_A_SECOND, "a second later");
  await flush();
  expect(stored.slice(MAX_LINES_AT_ONCE + 1)).toEqual([
    dropped("1 line was"),
    ...Array.from({ length: LOG_LINES_A_SECOND }, () => "a second later"),
  ]);

  // The room comes back, and is no larger than at first.
  state.time += 3_600_000;
  stored.length = 0;
  writeMany(MAX_LINES_AT_ONCE + 1, "an hour later");
  await flush();
  expect(stored).toHaveLength(MAX_LINES_AT_ONCE + 1);
  expect(stored.at(-1)).toEqual(dropped("1 line was"));
});

test("[J20] lines that cannot be stored for a while are stored with later ones, and are limited meanwhile", async () => {
  const { write, flush, stored, state } = setUp();
  state.failure = new AppError("UNAVAILABLE", "The disk is full.");
  write("info", "early");
  await expect(flush()).rejects.toThrow("The disk is full.");
  for (let index = 0; index < 2 * MAX_LINES_AT_ONCE; index += 1) {
    write("info", "meanwhile");
    state.time += 1000;
  }
  await expect(flush()).rejects.toThrow("The disk is full.");
  state.failure = undefined;
  await flush();
  expect(stored[0]).toBe("early");
  expect(stored).toHaveLength(MAX_LINES_AT_ONCE + 1);
  expect(stored.at(-1)).toEqual(dropped(`${MAX_LINES_AT_ONCE + 1} lines were`));
});

test("lines that cannot be stored for a while are stored soon after, even if no more follows", async () => {
  const { write, stored, state } = setUp();
  state.failure = new AppError("UNAVAILABLE", "Redis is away.");
  write("info", "alone");
  await vi.waitFor(() => expect(state.failures).toBeGreaterThan(0));
  state.failure = undefined;
  await vi.waitFor(() => expect(stored).toEqual(["alone"]));
});

test("[J20] [H11] a flood leaves room for warnings and errors, which are limited too", async () => {
  const { write, flush, stored, state } = setUp();
  for (let index = 0; index < 2 * MAX_LINES_AT_ONCE; index += 1) write("debug", "flood");
  write("error", "why it failed");
  write("info", "flood");
  for (let index = 0; index < 2 * RESERVED_LINES; index += 1) write("warn", "look");
  await flush();
  expect(stored.slice(MAX_LINES_AT_ONCE)).toEqual([
    dropped(`${MAX_LINES_AT_ONCE} lines were`),
    "why it failed",
    dropped("1 line was"),
    ...Array.from({ length: RESERVED_LINES - 1 }, () => "look"),
    dropped(`${RESERVED_LINES + 1} lines were`),
  ]);

  // While nothing can be stored, they wait in a limited number as well.
  state.failure = new AppError("UNAVAILABLE", "Redis is away.");
  stored.length = 0;
  for (let index = 0; index < 10 * MAX_LINES_AT_ONCE; index += 1) {
    write("debug", "flood");
    write("error", "why it failed");
    state.time += 60_000;
  }
  await expect(flush()).rejects.toThrow("Redis is away.");
  state.failure = undefined;
  await flush();
  expect(stored.length).toBeGreaterThan(MAX_LINES_AT_ONCE);
  expect(stored.length).toBeLessThanOrEqual(MAX_LINES_AT_ONCE + 2 * RESERVED_LINES + 2);
});

test("after a refusal that is final nothing more is offered", async () => {
  const { write, flush, stored, state } = setUp();
  state.failure = new AppError("CLAIM_LOST", "Another runner has it.");
  write("info", "late");
  await expect(flush()).rejects.toThrow("Another runner has it.");
  state.failure = undefined;
  write("info", "later");
  await expect(flush()).resolves.toBeUndefined();
  expect(stored).toEqual([]);
});

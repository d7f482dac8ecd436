import {
  environmentManager,
  focusManager,
  QueryClient,
  QueryObserver,
} from "@tanstack/react-query";
import { TRPCClientError } from "@trpc/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { JobWaiting } from "#shared/waiting.ts";
import { waitingOptions } from "./query-options.ts";

const queued: JobWaiting = { reason: "queued", ahead: 1, message: "1 job is before it" };
const cache = new QueryClient();
let calls: number;
let answer: () => Promise<JobWaiting | null>;
const source = {
  job: () => ({
    waiting() {
      calls += 1;
      return answer();
    },
  }),
};
const watch = (version = 1) =>
  new QueryObserver(cache, waitingOptions(source, "a", version)).subscribe(() => undefined);

beforeEach(() => {
  vi.useFakeTimers();
  environmentManager.setIsServer(() => false);
  cache.mount();
  calls = 0;
  answer = async () => queued;
  focusManager.setFocused(true);
});
afterEach(() => {
  focusManager.setFocused(undefined);
  environmentManager.setIsServer(() => true);
  cache.unmount();
  cache.clear();
  vi.useRealTimers();
});

test("[Q8] a page asks every five seconds why its job waits, however many parts of it show that, and not while it is hidden", async () => {
  const ends = [watch(), watch(), watch()];
  await vi.advanceTimersByTimeAsync(20_001);
  expect(calls).toBe(5);
  focusManager.setFocused(false);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(calls).toBe(5);
  for (let times = 0; times < 50; times += 1) {
    focusManager.setFocused(true);
    focusManager.setFocused(false);
  }
  await vi.advanceTimersByTimeAsync(0);
  expect(calls).toBe(6);
  for (const end of ends) end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toBe(6);
});

test("a job that waits again is asked about at once, and a server that cannot tell is not asked again", async () => {
  const end = watch();
  await vi.advanceTimersByTimeAsync(1000);
  end();
  answer = () =>
    Promise.reject(
      TRPCClientError.from({
        error: { message: "No such procedure", code: -32_004, data: { appCode: "NOT_FOUND" } },
      } as never),
    );
  const again = watch(3);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toBe(2);
  again();
});

import { expect, test, vi } from "vitest";
import { z } from "zod";
import type { AnyKind } from "#server/kinds/define.ts";
import {
  MAX_ATTEMPT_DETAILS,
  MAX_DETAILS_BYTES,
  MAX_JOB_EVENTS,
  MAX_UNFINISHED_REPORTS,
} from "#shared/limits.ts";
import { openReports } from "./reports.ts";

function setUp(events: number, progress: () => Promise<void>, details?: AnyKind["details"]) {
  const end = vi.fn<(reason: unknown) => void>();
  const store = { progress, draft: async () => undefined, lines: async () => undefined };
  const kind = { name: "work", details };
  const reports = openReports({
    kind,
    jobId: "j",
    events,
    store,
    now: () => new Date(),
    clock: () => performance.now(),
    onLinesLost: () => undefined,
    end,
  });
  return { end, ...reports };
}

test("[H11] the log of a job takes events up to its limit, and the next one ends the attempt", async () => {
  const { progress, end } = setUp(MAX_JOB_EVENTS - 2, async () => undefined);
  await progress(1, "last but one");
  await progress(2, "last");
  expect(end).not.toHaveBeenCalled();
  const refusal = { code: "TOO_MANY_EVENTS", message: expect.stringContaining("200,000 events") };
  await expect(progress(3, "too many")).rejects.toMatchObject(refusal);
  expect(end).toHaveBeenCalledWith(expect.objectContaining(refusal));
});

test("[H11] the number of waiting calls is limited, and each stored one makes room", async () => {
  const stored: (() => void)[] = [];
  const { progress, end } = setUp(1, () => new Promise((resolve) => stored.push(resolve)));
  const first = progress(1, "first");
  for (let call = 1; call < MAX_UNFINISHED_REPORTS; call += 1) void progress(1, "more");
  stored[0]?.();
  await first;
  void progress(2, "in its place");
  expect(end).not.toHaveBeenCalled();
  await expect(progress(2, "too many")).rejects.toMatchObject({ code: "TOO_MANY_REPORTS" });
});

test("[H11] [J18] the events of an attempt carry details up to a limit, also where a report repeats none", async () => {
  const { progress, end } = setUp(1, async () => undefined, z.string());
  const largest = MAX_ATTEMPT_DETAILS / MAX_DETAILS_BYTES;
  await progress(1, "largest", "x".repeat(MAX_DETAILS_BYTES - 2));
  for (let event = 1; event < largest; event += 1) await progress(1, "as before");
  expect(end).not.toHaveBeenCalled();
  const refusal = {
    code: "DETAILS_TOO_LARGE",
    message: expect.stringContaining("67,108,864 bytes of details"),
  };
  await expect(progress(2, "too much")).rejects.toMatchObject(refusal);
  expect(end).toHaveBeenCalledWith(expect.objectContaining(refusal));
});

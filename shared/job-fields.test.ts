import { expect, test } from "vitest";
import { AppError } from "./errors.ts";
import { hostileValues } from "#test/hostile-values.ts";
import type { Job } from "./job.ts";
import { applyChange, createdJob, type JobChange } from "./lifecycle.ts";
import {
  MAX_ERROR_CODE_CHARS,
  MAX_JOB_EVENTS,
  MAX_MESSAGE_CHARS,
  MAX_TITLE_CHARS,
} from "./limits.ts";

const at = new Date(1_750_000_000_000);
const fresh = {
  id: "01a20665-8cab-704e-9437-209e0533c3ad",
  kind: "k",
  title: "t".repeat(1000),
  tenant: "t",
  owner: "o",
  input: 1,
  batchId: null,
};
const created = createdJob(fresh, at).job;
const running: Job = { ...created, status: "PROCESSING", progress: 10 };
const long = "m".repeat(60_000);

test("[H11] titles, messages and codes are cut", () => {
  expect(created.title).toHaveLength(MAX_TITLE_CHARS);
  for (const change of [
    { action: "progress", progress: 1, message: long },
    { action: "release", message: long, delayMs: 0, counts: true },
    { action: "deliver", message: long, output: 1 },
    { action: "block", message: long, output: 1 },
    { action: "fail", error: { code: long, message: long } },
    { action: "cancel", note: long },
  ] as const) {
    const { job, event } = applyChange(running, change, at);
    expect(job.message).toHaveLength(MAX_MESSAGE_CHARS);
    expect(event.message).toBe(job.message);
    expect(job.error?.message ?? job.message).toBe(job.message);
    expect(job.error?.code.length ?? 0).toBeLessThanOrEqual(MAX_ERROR_CODE_CHARS);
  }
});

test("a percent becomes a whole number 0..100, whatever it is", () => {
  const percents: unknown[] = [0.5, 33.4, -1, 1e9, Number.NaN, "50", 5n, null, Symbol("x")];
  const values = percents.map((progress) => {
    const change = { action: "start", progress, message: "" } as JobChange;
    return applyChange(created, change, at).job.progress;
  });
  expect(values).toEqual([1, 33, 0, 100, 0, 0, 0, 0, 0]);
});

test("a message that is no text is refused, and an error is not, whatever is in it", () => {
  for (const value of Object.values(hostileValues())) {
    if (typeof value === "string") continue;
    const change = { action: "progress", progress: 1, message: value } as JobChange;
    expect(() => applyChange(running, change, at)).toThrow(AppError);
    const fail = { action: "fail", error: { code: value, message: value } } as JobChange;
    const { job } = applyChange(running, fail, at);
    expect(job).toMatchObject({ status: "ABORTED", error: { code: "INTERNAL" } });
  }
});

test("[H11] a log that is full takes no progress and no new try, and the job can still end", () => {
  const full = { ...running, version: MAX_JOB_EVENTS };
  const step: JobChange = { action: "progress", progress: 1, message: "" };
  const refusal = expect.objectContaining({
    code: "ILLEGAL_TRANSITION",
    message: expect.stringContaining("200,000 is the limit"),
  });
  expect(() => applyChange(full, step, at)).toThrow(refusal);
  expect(applyChange({ ...full, version: MAX_JOB_EVENTS - 1 }, step, at).job.version).toBe(
    MAX_JOB_EVENTS,
  );
  const aborted = applyChange(full, { action: "cancel" }, at).job;
  expect(aborted.status).toBe("ABORTED");
  expect(() => applyChange(aborted, { action: "retry" }, at)).toThrow(refusal);
});

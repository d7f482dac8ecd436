import { describe, expect, test } from "vitest";
import { applyChange, createdJob, type JobChange } from "#shared/lifecycle.ts";
import { endingOf } from "./job-ending.ts";

const AT = new Date(0);
const ID = "01a20665-8cab-704e-9437-209e0533c3ad";
const START: JobChange = { action: "start", progress: 0, message: "Job started" };

function after(...changes: JobChange[]) {
  const fresh = { kind: "article", title: "", tenant: "t", owner: "o", input: {}, batchId: null };
  let { job } = createdJob({ id: ID, ...fresh }, AT);
  for (const change of changes) ({ job } = applyChange(job, change, AT));
  return job;
}
const failedWith = (code: string, message: string) =>
  endingOf(after(START, { action: "fail", error: { code, message } }));

describe("a job that a person ended", () => {
  const block: JobChange = { action: "block", message: "", output: null };

  test("is cancelled or rejected, with its optional note", () => {
    expect(endingOf(after({ action: "cancel" }))).toMatchObject({ word: "Cancelled", why: "" });
    expect(endingOf(after({ action: "cancel", note: "the wrong\npage" }))).toMatchObject({
      word: "Cancelled",
      why: "the wrong\npage",
    });
    expect(endingOf(after(START, block, { action: "reject", note: "thin" }))).toEqual({
      word: "Rejected",
      why: "thin",
    });
  });

  test("is removed from its queue, where that is of another system", () => {
    const error = { code: "REMOVED", message: "Removed" };
    expect(endingOf({ message: "Removed", error })).toEqual({ word: "Removed", why: "" });
  });

  test("is recognised from its event alone, before the record is read again", () => {
    const cancelled = { ...after({ action: "cancel", note: "x" }), error: null };
    expect(endingOf(cancelled)).toMatchObject({ word: "Cancelled", why: "x" });
  });
});

test("[J22] a job that expired did not fail", () => {
  const fresh = { kind: "article", title: "", tenant: "t", owner: "o", input: {}, batchId: null };
  const { job } = createdJob({ id: ID, ...fresh, expiresInMs: 60_000 }, AT);
  const expiresAt = new Date(60_000);
  expect(endingOf(applyChange(job, { action: "expire", expiresAt }, expiresAt).job)).toEqual({
    word: "Expired",
    why: "The job had not started by 1970-01-01 00:01:00 UTC",
  });
});

test("a failure has its reason, whatever its message begins with", () => {
  const message = "Cancelled: the model's server hung up";
  expect(failedWith("LLM_STREAM", message)).toEqual({
    word: "Failed",
    why: message,
  });
});

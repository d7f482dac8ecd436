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
      lasting: false,
    });
  });

  test("is recognised from its event alone, before the record is read again", () => {
    const cancelled = { ...after({ action: "cancel", note: "x" }), error: null };
    expect(endingOf(cancelled)).toMatchObject({ word: "Cancelled", why: "x" });
  });
});

test("a failure has its reason, whatever its message begins with", () => {
  const message = "Cancelled: the model's server hung up";
  expect(failedWith("LLM_STREAM", message)).toEqual({
    word: "Failed",
    why: message,
    lasting: false,
  });
});

test.each([
  ["PAGE_STATUS", "The target page x answered with status 404 Not Found", true],
  ["PAGE_STATUS", "The target page x answered with status 410 Gone", true],
  ["PAGE_STATUS", "The target page x answered with status 429 Too Many Requests", false],
  ["PAGE_STATUS", "The target page x answered with status 503 Service Unavailable", false],
  ["PAGE_UNREACHABLE", "The target page x cannot be reached: its name is not known", true],
  ["PAGE_UNREACHABLE", "The target page x cannot be reached: the connection was refused", false],
  ["PAGE_PRIVATE_ADDRESS", "The target page x is not on the public internet", true],
  ["LLM_NOT_CONFIGURED", "OpenAI needs a key", true],
  ["PAGE_TIMEOUT", "The target page x took too long", false],
  ["CRASHED", "Its runner stopped unexpectedly", false],
])("retrying %s with %j is useless: %s", (code, message, lasting) => {
  expect(failedWith(code, message).lasting).toBe(lasting);
});

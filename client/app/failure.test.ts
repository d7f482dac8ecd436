import { TRPCClientError } from "@trpc/client";
import { expect, test } from "vitest";
import { CREATE_AGAIN, whyNot } from "./failure.ts";

test("what the server says is told as it says it", () => {
  const shape = {
    message: "Job 7 is DELIVERED.",
    code: -32009,
    data: { appCode: "ILLEGAL_TRANSITION" },
  };
  expect(whyNot(TRPCClientError.from({ error: shape }))).toBe("Job 7 is DELIVERED.");
});

test("where nobody answered, that is told, and what to do", () => {
  const error = TRPCClientError.from(new TypeError("Failed to fetch"));
  expect(whyNot(error)).toBe("The server cannot be reached. Try again when the page is live.");
  expect(whyNot(error, CREATE_AGAIN)).toContain("made once");
  expect(whyNot(new TypeError("x"))).toContain("cannot be reached");
});

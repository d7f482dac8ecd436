import { TRPCClientError } from "@trpc/client";
import { expect, test } from "vitest";
import { REPEAT_CREATE, requestErrorMessage } from "./request-error.ts";

test("the server's message is shown unchanged", () => {
  const shape = {
    message: "Job 7 is DELIVERED.",
    code: -32009,
    data: { appCode: "ILLEGAL_TRANSITION" },
  };
  expect(requestErrorMessage(TRPCClientError.from({ error: shape }))).toBe("Job 7 is DELIVERED.");
});

test("without an answer the message says that the server cannot be reached, and what to do", () => {
  const error = TRPCClientError.from(new TypeError("Failed to fetch"));
  expect(requestErrorMessage(error)).toBe(
    "The server cannot be reached. Try again once the connection is back.",
  );
  expect(requestErrorMessage(error, REPEAT_CREATE)).toContain("creates no duplicate");
  expect(requestErrorMessage(new TypeError("x"))).toContain("cannot be reached");
});

import { TRPCError } from "@trpc/server";
import { expect, test } from "vitest";
import { messageOfInput } from "./errors.ts";

test("[H5] a long message is cut, and an emoji at the cut is omitted", () => {
  const told = "x".repeat(9999);
  const error = new TRPCError({ code: "NOT_FOUND", message: `${told}😀` });
  expect(messageOfInput(error)).toBe(`${told}…`);
});

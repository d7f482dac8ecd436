import { expect, test } from "vitest";
import { isLasting } from "./lasting-error.ts";

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
  expect(isLasting({ code, message })).toBe(lasting);
});

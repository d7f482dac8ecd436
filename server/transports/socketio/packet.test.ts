import { expect, test } from "vitest";
import type { LegacyJobPayload } from "#shared/legacy.ts";
import { createEncoder } from "./packet.ts";

test("an event is serialised once for all who watch it", () => {
  let made = 0;
  const encode = createEncoder((value: LegacyJobPayload) => {
    made += 1;
    return [{ name: "job:update", payload: value }];
  });
  const event: LegacyJobPayload = {
    job_id: "1",
    status: "PENDING",
    progress: 0,
    message: "",
    timestamp: "2026-01-01T00:00:00.000Z",
  };
  expect(encode(event)).toBe(encode(event));
  expect(encode({ ...event })).toEqual(encode(event));
  expect(made).toBe(2);
});

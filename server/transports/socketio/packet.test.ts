import { expect, test } from "vitest";
import type { LegacyJobPayload } from "#shared/legacy.ts";
import { createEncoder } from "./packet.ts";

test("an event is serialised once for all its watchers", () => {
  let made = 0;
  const { packetsOf, framesOf } = createEncoder((value: LegacyJobPayload) => {
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
  expect(packetsOf(event)).toBe(packetsOf(event));
  expect(packetsOf({ ...event })).toEqual(packetsOf(event));
  expect(made).toBe(2);
  const entries = [
    { pos: 1, value: event },
    { pos: 2, value: event },
  ];
  const frames = framesOf(entries);
  expect(framesOf(entries)).toBe(frames);
  expect(frames.map(({ count }) => count)).toEqual([2]);
  expect(frames[0]?.bytes.toString().match(/42\["job:update"/g)).toHaveLength(2);
  expect(made).toBe(2);
});

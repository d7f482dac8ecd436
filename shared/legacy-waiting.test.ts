import { expect, test } from "vitest";
import { legacyOfWaiting } from "./legacy-waiting.ts";

test("[Q8] [L1] the reasons for which a job waits have the older system's form of names", () => {
  const common = { ahead: 2, message: "Because" };
  expect(legacyOfWaiting(null)).toBeNull();
  expect(legacyOfWaiting({ ...common, reason: "queued" })).toEqual({ ...common, reason: "queued" });
  for (const reason of ["delayed", "rate"] as const) {
    expect(legacyOfWaiting({ ...common, reason, startsInMs: 5 })).toEqual({
      ...common,
      reason,
      starts_in_ms: 5,
    });
  }
  const full = { ...common, reason: "concurrency", of: "key", limit: 1 } as const;
  expect(legacyOfWaiting(full)).toEqual(full);
});

import { expect, test } from "vitest";
import { legacyOfWaiting } from "./legacy-waiting.ts";

test("[Q8] [L1] the reasons for which a job waits have the older system's form of names", () => {
  const common = { ahead: 2, message: "Because" };
  expect(legacyOfWaiting(null)).toBeNull();
  expect(legacyOfWaiting({ ...common, reason: "queued" })).toEqual({ ...common, reason: "queued" });
  const delayed = { ...common, reason: "delayed" } as const;
  expect(legacyOfWaiting({ ...delayed, startsInMs: 5 })).toEqual({ ...delayed, starts_in_ms: 5 });
  const rated = { ...common, reason: "rate", of: "kind" } as const;
  expect(legacyOfWaiting({ ...rated, startsInMs: 5 })).toEqual({ ...rated, starts_in_ms: 5 });
  const full = { ...common, reason: "concurrency", of: "key", key: "42", limit: 1 } as const;
  expect(legacyOfWaiting(full)).toEqual(full);
  const named = { ...full, key_name: "customer" };
  expect(legacyOfWaiting({ ...full, keyName: "customer" })).toEqual(named);
});

import { expect, onTestFinished, test, vi } from "vitest";
import { retryAfterMs } from "./retry-after.ts";

const SENT_AT = "Sun, 01 Mar 2026 12:00:00 GMT";

test.each([
  ["120", 120_000],
  [" 0 ", 0],
  ["1.5", 1500],
  ["Sun, 01 Mar 2026 12:00:30 GMT", 30_000],
  ["Sun, 01 Mar 2026 11:00:00 GMT", 0],
  ["soon", undefined],
  ["-5x", undefined],
  ["", undefined],
  [null, undefined],
  [undefined, undefined],
])("Retry-After %j is %j milliseconds", (header, expected) => {
  expect(retryAfterMs(header, SENT_AT)).toBe(expected);
});

test.each([undefined, null, "", "yesterday"])(
  "a date is compared with this machine's clock where the answer's own Date is %j",
  (sentAt) => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse(SENT_AT) });
    onTestFinished(() => void vi.useRealTimers());
    expect(retryAfterMs("Sun, 01 Mar 2026 12:00:30 GMT", sentAt)).toBe(30_000);
  },
);

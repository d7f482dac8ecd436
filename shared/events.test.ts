import { expect, test } from "vitest";
import { eventOf, type JobEventType } from "./events.ts";

const fields = {
  jobId: "7",
  seq: 3,
  at: new Date(0),
  attempt: 1,
  progress: 40,
  message: "It runs",
  actor: undefined,
  details: undefined,
};

test("an event has the status of its type", () => {
  expect(eventOf("requeued", fields)).toEqual({ ...fields, type: "requeued", status: "PENDING" });
});

test("an event without an actor or details has no such field, and so costs no more than before", () => {
  expect(Object.keys(eventOf("progress", fields))).toEqual([
    "jobId",
    "seq",
    "at",
    "attempt",
    "type",
    "status",
    "progress",
    "message",
  ]);
  expect(eventOf("progress", { ...fields, details: null })).toMatchObject({ details: null });
  const actor = { user: "ann", via: "token" } as const;
  expect(eventOf("requeued", { ...fields, actor })).toMatchObject({ actor });
});

// A log may be damaged, or of a newer version.
test.each(["paused", "toString", undefined])(
  "a type that this version does not know is an error that names it: %s",
  (type) => {
    expect(() => eventOf(type as JobEventType, fields)).toThrow(
      `Event 3 of job 7 has the unknown type ${JSON.stringify(type)}.`,
    );
  },
);

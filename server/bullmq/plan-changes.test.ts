import fc from "fast-check";
import { expect, test } from "vitest";
import type { Job, JobStatus } from "#shared/job.ts";
import { applyChange, createdJob } from "#shared/lifecycle.ts";
import type { BullmqDetails } from "./bullmq-details.ts";
import { detailsAfter, firstDetails } from "./job-details.ts";
import { planChanges, planRead } from "./plan-changes.ts";
import { type Sighting, WAITING_STATES } from "./sightings.ts";
import type { StoredJob } from "./stored-job.ts";

const AT = new Date(Date.UTC(2026, 0, 1));

const sightings: fc.Arbitrary<Sighting> = fc.oneof(
  fc.record({
    is: fc.constant("waits" as const),
    state: fc.constantFrom(...WAITING_STATES),
    until: fc.option(fc.double(), { nil: undefined }),
    stalled: fc.boolean(),
  }),
  fc.constant({ is: "active" as const }),
  fc.record({ is: fc.constant("reported" as const), progress: fc.jsonValue() }),
  fc.record({ is: fc.constant("completed" as const), returnvalue: fc.jsonValue() }),
  fc.record({ is: fc.constant("failed" as const), reason: fc.string({ unit: "binary" }) }),
  fc.constant({ is: "removed" as const }),
);

const STORED: StoredJob = {
  name: "a",
  timestamp: 1,
  data: {},
  returnvalue: undefined,
  progress: 5,
  failedReason: "No luck",
  attempts: 3,
  attemptsMade: 1,
  stalled: 0,
  delay: 0,
  priority: 0,
  processedOn: undefined,
  finishedOn: undefined,
  worker: "w1",
  parent: undefined,
  scheduler: undefined,
  keepLogs: undefined,
};
const stored = fc.option(
  fc
    .record({ attemptsMade: fc.nat(5), priority: fc.nat(3) })
    .map((more) => ({ ...STORED, ...more })),
  { nil: undefined },
);

function mirroredJob(): Job {
  const { job } = createdJob(
    {
      id: "01a20665-8cab-704e-9437-209e0533c3ad",
      kind: "bullmq:q",
      title: "a",
      tenant: "acme",
      owner: "ops",
      input: null,
      batchId: null,
      outside: {
        position: "0-0",
        details: {
          ...firstDetails({ queue: "q", id: "1", name: "a", isControlled: false }),
        },
        message: "m",
      },
    },
    AT,
  );
  return job;
}

const LEADS_TO: Record<Sighting["is"], readonly JobStatus[]> = {
  added: ["PENDING"],
  waits: ["PENDING"],
  active: ["PROCESSING"],
  reported: ["PENDING", "PROCESSING", "DELIVERED", "ABORTED"],
  completed: ["DELIVERED"],
  failed: ["ABORTED"],
  removed: ["DELIVERED", "ABORTED"],
};

test("[X1] whatever is seen, in whatever order, leads to its state along the table of transitions", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(sightings, stored, fc.boolean(), fc.boolean()), { maxLength: 20 }),
      (seen) => {
        let job = mirroredJob();
        let position = 0;
        for (const [sighting, of, isRead, gap] of seen) {
          const plan = isRead ? planRead(job, sighting, of, gap) : planChanges(job, sighting, of);
          const steps = plan.map(({ step }) => step);
          expect(steps).toEqual(steps.toSorted((one, other) => one - other));
          expect(new Set(steps).size).toBe(steps.length);
          expect([undefined, 3, isRead ? 2 : 3]).toContain(steps.at(-1));
          for (const { change } of plan) {
            position += 1;
            const details = {
              ...detailsAfter(job.details as BullmqDetails, { sighting, stored: of, isRead }),
            };
            job = applyChange(
              job,
              { ...change, outside: { position: `${position}-0`, details } },
              AT,
            ).job;
          }
          expect(LEADS_TO[sighting.is]).toContain(job.status);
        }
      },
    ),
  );
});

function reported(progress: unknown) {
  const job = { status: "PROCESSING" as const, details: {} };
  return planChanges(job, { is: "reported", progress }, undefined)[0]?.change;
}

test("[X1] a report says what it can of any progress", () => {
  expect(reported(40)).toMatchObject({ progress: 40, message: "40 %" });
  expect(reported({ percentage: 7, step: "two" })).toMatchObject({ progress: 7, message: "two" });
  expect(reported("half")).toMatchObject({ progress: 0, message: "half" });
  expect(reported({ percent: "7" })).toMatchObject({ progress: 0, message: '{"percent":"7"}' });
  expect(reported(null)).toMatchObject({ progress: 0, message: "null" });
});

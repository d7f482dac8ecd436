/** Random events, cuts, stalls and drains on all transports at once, checked against the log. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { timesOf } from "#test/long-run.ts";
import { type DrivenServer, startDrivenServer } from "./driven-server.ts";
import { WITNESSES } from "./witness.ts";

const RUNS = timesOf(10, 40);
/** So large that a few of them fill the buffers between two processes. */
const LARGE = 50_000;

let server: DrivenServer;
beforeAll(async () => {
  server = await startDrivenServer({ SEND_BUFFER_BYTES: "65536" });
});
afterAll(async () => {
  await server.stop();
});

const who = fc.integer({ min: 0, max: WITNESSES.length - 1 });
const step = fc.oneof(
  fc.record({
    what: fc.constant("emit" as const),
    count: fc.integer({ min: 1, max: 120 }),
    bytes: fc.constantFrom(0, 300, LARGE),
  }),
  fc.record({ what: fc.constantFrom("pause", "resume", "cut"), who }),
);

test("[S1] [S2] [S3] [S5] [S6] [S7] [S11] whatever happens to its connections, each witness sees exactly the log", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
      const jobId = await server.startJob();
      const witnesses = WITNESSES.map((open) => open(server.url, jobId));
      for (const action of steps) {
        if ("who" in action) witnesses[action.who]?.[action.what]();
        else await server.emit(jobId, action.count, action.bytes);
      }
      await server.deliver(jobId);
      for (const witness of witnesses) witness.resume();
      await vi.waitFor(
        () => {
          const told = witnesses.map(({ name, newest }) => `${name}: ${newest()}`);
          expect(told).toEqual(witnesses.map(({ name }) => `${name}: DELIVERED`));
        },
        { timeout: 120_000, interval: 10 },
      );
      const log = await server.logOf(jobId);
      for (const witness of witnesses) {
        expect(witness.faults(log), `told over ${witness.name}`).toEqual([]);
        witness.leave();
      }
    }),
    // Without shrinking: a smaller case would wait for the jobs of the failed one.
    { numRuns: RUNS, endOnFailure: true },
  );
  expect(server.complaints()).toBe("");
});

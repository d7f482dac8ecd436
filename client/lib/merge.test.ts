import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Batch, BatchAggregate } from "#shared/batch.ts";
import type { JobEvent } from "#shared/events.ts";
import type { FeedEntry } from "#shared/feed.ts";
import type { Job, JobStatus, JobSummary } from "#shared/job.ts";
import { nextConnection } from "./connection.ts";
import {
  currentBatch,
  currentJob,
  dropKnown,
  mergeBatch,
  mergeDraft,
  mergeEvents,
  mergeFeed,
  mergeJobs,
} from "./merge.ts";

const event = (seq: number, extra: Partial<JobEvent> = {}) =>
  ({ seq, type: "progress", ...extra }) as JobEvent;
const job = (id: string, version: number, extra: Partial<JobSummary> = {}) =>
  ({ id, version, status: "PENDING", batchId: null, ...extra }) as JobSummary;
const entry = (rev: number, summary: JobSummary) => ({ rev, job: summary }) as FeedEntry;
const frame = (attempt: number, offset: number, text: string) => ({
  jobId: "",
  seq: 1,
  attempt,
  offset,
  text,
});
const page = (nextCursor: string | null, ...items: JobSummary[]) => ({ items, nextCursor });
const state = (version: number, extra: Partial<BatchAggregate> = {}) =>
  ({ version, progress: version, ...extra }) as BatchAggregate;
const idsOf = (jobs: JobSummary[]) => jobs.map(({ id, version }) => `${id}${version}`);

test("[S1] events join a log once and in order, even if some arrive twice", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer({ min: 1, max: 30 }))), (chunks) => {
      let log: JobEvent[] = [];
      for (const chunk of chunks)
        log = mergeEvents(
          log,
          chunk.map((seq) => event(seq)),
        );
      const seqs = log.map(({ seq }) => seq);
      expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
    }),
  );
});

test("[S8] a gap restarts the log", () => {
  const log = mergeEvents([event(1), event(2)], [event(9, { gap: true }), event(10)]);
  expect(log.map(({ seq }) => seq)).toEqual([9, 10]);
});

test("[C2] an event of an unknown type and status is the current state, and nothing of the record is lost", () => {
  const record = { ...job("a", 2), output: null, region: "eu" } as unknown as Job;
  const parked = { ...event(3, { message: "Parked" }), type: "parked", status: "PARKED" };
  const now = currentJob(record, mergeEvents([], [event(2), parked as unknown as JobEvent]));
  expect(now).toMatchObject({ status: "PARKED", message: "Parked", version: 3, region: "eu" });
  expect(now.finishedAt).toBeNull();
  const read = { ...record, status: "PARKED", version: 3, output: { a: 1 } } as unknown as Job;
  expect(currentJob(read, [parked as unknown as JobEvent])).toBe(read);
});

test("a draft grows by frames, and restarts with a new attempt", () => {
  let draft = mergeDraft({ attempt: 0, text: "" }, [frame(1, 0, "one "), frame(1, 4, "two")]);
  expect(draft).toEqual({ attempt: 1, text: "one two" });
  draft = mergeDraft(draft, [frame(1, 4, "2")]);
  expect(draft.text).toBe("one 2");
  expect(mergeDraft(draft, [frame(2, 0, "again")])).toEqual({ attempt: 2, text: "again" });
});

describe("a batch", () => {
  test("never returns to an older state, read or pushed", () => {
    const pushed = mergeBatch(state(5), [state(3), state(4)]);
    expect(pushed?.version).toBe(5);
    expect(currentBatch(state(2) as Batch, pushed).progress).toBe(5);
    expect(currentBatch(state(9) as Batch, pushed).progress).toBe(9);
  });

  test("[S8] takes the server's state after a gap, even if it is older", () => {
    const pushed = mergeBatch(state(5), [state(2, { gap: true })]);
    expect(currentBatch(state(5) as Batch, pushed).progress).toBe(2);
  });
});

describe("a list of jobs", () => {
  test("a pushed job is kept until a page has the same version", () => {
    const changed = mergeFeed(new Map(), [
      entry(1, job("a", 7)),
      entry(2, job("b", 2)),
      entry(3, job("c", 4)),
      entry(4, job("z", 1)),
    ]);
    const left = dropKnown(changed, [page("b", job("c", 3), job("b", 2))]);
    expect([...left.keys()]).toEqual(["c", "z"]);
  });

  test("an older version never replaces a newer one, in either order", () => {
    const changed = mergeFeed(new Map(), [entry(1, job("a", 3)), entry(2, job("a", 2))]);
    expect(idsOf(mergeJobs([page(null, job("a", 1))], changed, {}))).toEqual(["a3"]);
    expect(idsOf(mergeJobs([page(null, job("a", 5))], changed, {}))).toEqual(["a5"]);
  });

  test("[S8] takes the server's versions after a gap, even if they are older", () => {
    const known = new Map([["b", job("b", 4)]]);
    const fresh = [entry(7, job("a", 3)), { ...entry(5, job("a", 2)), gap: true as const }];
    const changed = mergeFeed(known, [...fresh, entry(6, job("c", 1))]);
    expect(idsOf(mergeJobs([page(null, job("b", 3), job("a", 1))], changed, {}))).toEqual([
      "c1",
      "b3",
      "a2",
    ]);
  });

  test("newly created jobs come first, and jobs of unloaded pages wait for their page", () => {
    const changed = mergeFeed(new Map(), [entry(1, job("z", 1)), entry(2, job("a", 7))]);
    const loaded = [page("m", job("n", 1), job("m", 1))];
    expect(idsOf(mergeJobs(loaded, changed, {}))).toEqual(["z1", "n1", "m1"]);
    const all = [...loaded, page(null, job("b", 1), job("a", 1))];
    expect(idsOf(mergeJobs(all, changed, {}))).toEqual(["z1", "n1", "m1", "b1", "a7"]);
  });

  test("a job that left the filter leaves the list", () => {
    const changed = mergeFeed(new Map(), [entry(1, job("a", 2, { status: "DELIVERED" }))]);
    expect(mergeJobs([page(null, job("a", 1))], changed, { status: "PENDING" })).toEqual([]);
    expect(idsOf(mergeJobs([page(null)], changed, { status: "DELIVERED" }))).toEqual(["a2"]);
    expect(mergeJobs([page(null)], changed, { batchId: "other" })).toEqual([]);
    // An older server's jobs do not name their schedule.
    expect(mergeJobs([page(null)], changed, { scheduleId: "other" })).toEqual([]);
    const made = new Map([["b", job("b", 1, { scheduleId: "s" })]]);
    expect(idsOf(mergeJobs([page(null)], made, { scheduleId: "s" }))).toEqual(["b1"]);
  });
});

describe("a job and its log", () => {
  const record = {
    version: 4,
    status: "BLOCKED",
    output: "old",
    error: null,
    finishedAt: new Date(0),
  } as unknown as Job;
  const at = new Date(1);
  const then = (seq: number, status: JobStatus) => event(seq, { status, at });

  test("the details are those of the newest event, also where it has none", () => {
    const detailed = { ...record, details: { done: 1 } };
    const newer = { ...then(5, "BLOCKED"), details: { done: 2 } };
    expect(currentJob(detailed, [newer]).details).toEqual({ done: 2 });
    expect(currentJob(detailed, [newer, then(6, "PENDING")]).details).toBeUndefined();
    expect(currentJob(detailed, [then(4, "BLOCKED")]).details).toEqual({ done: 1 });
  });

  test("the newest event overrides the record, an older one does not", () => {
    expect(currentJob(record, [])).toBe(record);
    expect(currentJob(record, [then(4, "BLOCKED")])).toBe(record);
    expect(currentJob(record, [then(5, "DELIVERED")])).toMatchObject({
      status: "DELIVERED",
      output: "old",
    });
  });

  test("the output of an earlier run is never shown for a later run", () => {
    const rerun = [then(5, "PENDING"), then(6, "PROCESSING")];
    expect(currentJob(record, rerun)).toMatchObject({ output: null, finishedAt: null });
    expect(currentJob(record, [...rerun, then(7, "BLOCKED")])).toMatchObject({ output: null });
    const failed = { ...record, status: "ABORTED", error: { code: "X", message: "x" } } as Job;
    expect(currentJob(failed, [...rerun, then(7, "ABORTED")]).error).toBeNull();
  });

  test("an older state wins after a gap", () => {
    const gap = event(2, { status: "PENDING", at, gap: true });
    expect(currentJob(record, [gap])).toMatchObject({ status: "PENDING", version: 2 });
  });
});

test("a connection is stale only after it was live once", () => {
  expect(nextConnection("connecting", "lost")).toBe("connecting");
  expect(nextConnection("connecting", "open")).toBe("live");
  expect(nextConnection("live", "lost")).toBe("stale");
  expect(nextConnection("stale", "lost")).toBe("stale");
  expect(nextConnection("stale", "open")).toBe("live");
});

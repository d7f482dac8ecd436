/** Streams over a real engine with its own data, and jobs that a test advances step by step. */
import { v7 as newId } from "uuid";
import { expect, onTestFinished } from "vitest";
import type { Claim, Engine, Hint } from "#server/engine/contract.ts";
import { openEngine } from "#server/engine/index.ts";
import { newTestData } from "#test/engine/data.fixture.ts";
import { AppError } from "#shared/errors.ts";
import type { JobEvent } from "#shared/events.ts";
import { ownerOf } from "#shared/principal.ts";
import { me } from "#test/jobs/acting.ts";
import { type Entry, openStreams, type Sink, type Stream } from "#server/streams/open.ts";

const now = () => new Date();

function newJob(batchId: string | null) {
  return { id: newId(), kind: "test", title: "A test", input: {}, batchId, ...ownerOf(me) };
}

export async function openStreamsFixture() {
  const data = await newTestData();
  let engine = await openEngine(data.config);
  let streams = openStreams(engine);

  async function close(): Promise<void> {
    streams.close();
    await engine.close();
  }
  onTestFinished(async () => {
    await close();
    await data.remove();
  });

  async function createJob(batchId: string | null = null): Promise<string> {
    const job = newJob(batchId);
    await engine.createJob(job, now());
    return job.id;
  }

  async function createBatch(count: number): Promise<{ batchId: string; jobIds: string[] }> {
    const batchId = newId();
    const jobs = Array.from({ length: count }, () => newJob(batchId));
    await engine.createBatch({ id: batchId, name: null, ...ownerOf(me) }, jobs, now());
    return { batchId, jobIds: jobs.map(({ id }) => id) };
  }

  async function startJob(jobId: string): Promise<Claim> {
    const claims = await engine.claim({ worker: "w", max: 1000, leaseMs: 60_000, now: now() });
    const claim = claims.find((each) => each.jobId === jobId) as Claim;
    await engine.change(jobId, { action: "start", progress: 10, message: "started" }, now(), claim);
    return claim;
  }

  /** Every third step has new details. */
  function progress(claim: Claim, n: number) {
    const details = n % 3 === 0 ? { n } : undefined;
    const message = `step ${n}`;
    return engine.change(
      claim.jobId,
      { action: "progress", progress: Math.min(n, 99), message, details },
      now(),
      claim,
    );
  }

  const deliver = (claim: Claim) =>
    engine.change(claim.jobId, { action: "deliver", message: "done", output: {} }, now(), claim);

  /** Runs a job from start to delivery, one step at a time, with `steps` times progress between. */
  async function* life(jobId: string, steps: number): AsyncGenerator<void> {
    const claim = await startJob(jobId);
    yield;
    for (let n = 1; n <= steps; n++) {
      await progress(claim, n);
      yield;
    }
    await deliver(claim);
  }

  async function wholeLife(jobId: string, steps: number): Promise<void> {
    for await (const _step of life(jobId, steps));
  }

  async function logOf(jobId: string): Promise<JobEvent[]> {
    const slice = await engine.readEvents(jobId, 0, 100_000);
    return slice?.events ?? [];
  }

  return {
    get engine() {
      return engine;
    },
    get streams() {
      return streams;
    },
    /** Closes the engine and opens the same data again. */
    async restart() {
      await close();
      engine = await openEngine(data.config);
      streams = openStreams(engine);
    },
    createJob,
    createBatch,
    startJob,
    progress,
    deliver,
    life,
    wholeLife,
    logOf,
  };
}

export type StreamsFixture = Awaited<ReturnType<typeof openStreamsFixture>>;

export async function take<T>(stream: Stream<T>, count = Number.POSITIVE_INFINITY): Promise<T[]> {
  const values: T[] = [];
  if (count === 0) return values;
  for await (const { value } of stream) {
    values.push(value);
    if (values.length >= count) break;
  }
  return values;
}

/** Collects the values of a stream in the background. */
export function collect<T>(stream: Stream<T>): { values: T[]; ended: Promise<void> } {
  const values: T[] = [];
  const takeAll = async () => {
    for await (const { value } of stream) values.push(value);
  };
  return { values, ended: takeAll() };
}

/** A sink that accepts `capacity` more entries; a test can raise it. */
export function createSink<T>() {
  const entries: Entry<T>[] = [];
  const state = { capacity: Number.POSITIVE_INFINITY, ended: false, reason: "" };
  const sink: Sink<T> = {
    push(offered) {
      expect(state.ended, "no entry follows the end").toBe(false);
      const taken = offered.slice(0, state.capacity);
      entries.push(...taken);
      state.capacity -= taken.length;
      return taken.length;
    },
    end(reason) {
      state.ended = true;
      state.reason = reason?.code ?? "";
    },
  };
  return { entries, state, sink, seqs: () => entries.map(({ pos }) => pos) };
}

/** Wraps an engine with an unreliable channel for hints: `fates` apply to the hints in turn. */
export function withHints(real: Engine, fates: readonly string[]): Engine {
  let next = 0;
  return {
    ...real,
    onAppend: (stream, listener) =>
      real.onAppend(stream, (hint: Hint) => {
        switch (fates[next++ % fates.length] ?? "keep") {
          case "drop":
            return;
          case "double":
            listener(hint);
            return listener(hint);
          case "late":
            void real.health().then(() => setImmediate(() => listener(hint)));
            return;
          case "empty":
            return listener({});
          default:
            return listener(hint);
        }
      }),
  };
}

/** Wraps an engine with an outage: the named calls fail until `back()`. `tries()` counts the failed calls. */
export function withOutage(real: Engine, names: readonly (keyof Engine)[]) {
  let away = true;
  let tries = 0;
  const broken = names.map((name) => {
    const call = real[name] as (...args: unknown[]) => unknown;
    const failing = (...args: unknown[]): unknown => {
      if (!away) return call(...args);
      tries += 1;
      return Promise.reject(new AppError("UNAVAILABLE", "The data cannot be read. Try again."));
    };
    return [name, failing];
  });
  return {
    engine: { ...real, ...Object.fromEntries(broken) } as Engine,
    tries: () => tries,
    back: () => void (away = false),
  };
}

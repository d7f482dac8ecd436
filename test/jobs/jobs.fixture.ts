/** Jobs and runners on a real engine with data of its own, and a clock that only tests advance. */
import { pino } from "pino";
import { vi } from "vitest";
import { z } from "zod";
import type { Engine } from "#server/engine/contract.ts";
import { openEngine } from "#server/engine/index.ts";
import { newTestData } from "#test/engine/data.fixture.ts";
import {
  type AnyKind,
  defineKind,
  delivered,
  type Outcome,
  type RunContext,
  type Schema,
} from "#server/kinds/define.ts";
import { createKindRegistry } from "#server/kinds/registry.ts";
import type { JobEvent } from "#shared/events.ts";
import { isSettled, type Job, type JobStatus } from "#shared/job.ts";
import { me } from "#test/jobs/acting.ts";
import { createJobs, type Jobs } from "#server/jobs/jobs.ts";
import { createRunner, type Runner, type RunnerOptions } from "#server/jobs/runner.ts";
import { randomText } from "#test/random-text.ts";

const Input = z.object({ name: z.string().default("it") });
type Input = z.infer<typeof Input>;
export type Run = (context: RunContext<Input, unknown>) => Promise<Outcome<unknown>>;

export const DONE: Outcome<unknown> = delivered("Done", { ok: true });
const INFO = 30;
const PATIENCE = { timeout: 120_000, interval: 10 };

export interface JobsFixture {
  engine: Engine;
  jobs: Jobs;
  now: () => Date;
  /** Advances the clock. */
  advance(ms: number): void;
  /** Sets the wall clock forward or back, without advancing the steady clock. */
  setClock(ms: number): void;
  /** Lines of the log from `warn` on. */
  logged: { msg: string; err?: { message: string } }[];
  /** Log lines of attempts that ended as expected. */
  noted: { msg: string; jobId: string; kind: string; attempt: number; ms?: number }[];
  /** The code of the kind "work". */
  run: Run;
  /** The schema of its outputs. */
  output: Schema;
  startRunner(options?: Partial<RunnerOptions>): Runner;
  /** Simulates a crash: a second process opens the data while the first never closed it. */
  crash(): Promise<void>;
  /** A job of the kind "work". */
  create(name?: string): Promise<string>;
  job(jobId: string): Promise<Job>;
  log(jobId: string): Promise<JobEvent[]>;
  /** Runs a job with this untyped code and returns how it ended. A second job must be delivered meanwhile. */
  end(run: (context: RunContext<unknown, unknown>) => unknown): Promise<Job>;
  reaches(jobId: string, status: JobStatus): Promise<Job>;
  close(): Promise<void>;
}

/** `more`: kinds beside "work". */
export async function openJobsFixture(more: readonly AnyKind[] = []): Promise<JobsFixture> {
  const data = await newTestData();
  const runners: Runner[] = [];
  const logged: JobsFixture["logged"] = [];
  const noted: JobsFixture["noted"] = [];
  const write = (text: string) => {
    const line = JSON.parse(text);
    (line.level > INFO ? logged : noted).push(line);
  };
  const log = pino({ level: "info" }, { write });
  let time = Date.now();
  let setBy = 0;
  const now = () => new Date(time + setBy);
  const clock = () => time;
  const open = () => openEngine(data.config, { clock });

  const work = defineKind({
    name: "work",
    description: "Does what a test says.",
    input: Input,
    details: z.unknown(),
    output: z.unknown(),
    title: ({ name }) => `Work on ${name}`,
    start: { progress: 10, message: "Work started" },
    run: (context) => fixture.run(context),
  });
  let output = work.output;
  const kinds = createKindRegistry([
    Object.defineProperty(work, "output", { get: () => output }),
    ...more,
  ]);

  const fixture: JobsFixture = {
    engine: await open(),
    get jobs() {
      return createJobs(fixture.engine, kinds, now);
    },
    now,
    advance: (ms) => void (time += ms),
    setClock: (ms) => void (setBy += ms),
    logged,
    noted,
    run: async () => DONE,
    get output() {
      return output;
    },
    set output(schema) {
      output = schema;
    },
    startRunner(options) {
      const runner = createRunner({
        engine: fixture.engine,
        kinds,
        worker: `runner ${runners.length + 1}`,
        identity: { name: "here", host: "machine", pid: 1, version: "1.2.3" },
        concurrency: 5,
        maxAttempts: 3,
        now,
        clock,
        random: () => 0,
        storeAgainMs: 1,
        pollMs: 10,
        log,
        ...options,
      });
      runners.push(runner);
      runner.start();
      return runner;
    },
    async crash() {
      await fixture.engine.close();
      await Promise.all(runners.splice(0).map((runner) => runner.stop(0)));
      fixture.engine = await open();
    },
    create: async (name) => (await fixture.jobs.create(me, { kind: "work", input: { name } })).id,
    job: (jobId) => fixture.jobs.get(me, jobId),
    async log(jobId) {
      const { items } = await fixture.jobs.events(me, { jobId, after: 0, limit: 10_000 });
      return items;
    },
    async end(run) {
      fixture.run = ((context) =>
        context.input.name === "bystander" ? Promise.resolve(DONE) : run(context)) as Run;
      fixture.startRunner();
      const jobId = await fixture.create();
      await fixture.reaches(await fixture.create("bystander"), "DELIVERED");
      await eventually(async () => {
        const { status, message } = await fixture.job(jobId);
        if (!isSettled(status)) throw new Error(`The job is ${status}: ${message}`);
      });
      return fixture.job(jobId);
    },
    reaches: (jobId, status) =>
      vi.waitFor(async () => {
        const job = await fixture.job(jobId);
        if (job.status !== status) throw new Error(`The job is ${job.status}: ${job.message}`);
        return job;
      }, PATIENCE),
    async close() {
      await Promise.all(runners.map((runner) => runner.stop(0)));
      await fixture.engine.close();
      await data.remove();
    },
  };
  return fixture;
}

/** Waits until the signal aborts, and rejects with its reason. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(new Error("stopped"));
    signal.addEventListener("abort", () => reject(new Error("stopped")));
  });
}

export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, PATIENCE);
}

/**
 * Reports progress in messages of two kilobytes, more than lies between two sockets where `steps` are thousands, also
 * compressed.
 */
export async function reportMuch(
  progress: RunContext<unknown>["progress"],
  steps: number,
): Promise<void> {
  const together = 100;
  for (let step = 0; step < steps; step += together) {
    const messages = Array.from({ length: together }, (_, n) => `${step + n} ${randomText(1980)}`);
    await Promise.all(messages.map((message, n) => progress((80 * (step + n)) / steps, message)));
  }
}

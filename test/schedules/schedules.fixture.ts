/** Schedules on the embedded engine, with a clock that only tests advance or set. */
import { pino } from "pino";
import { z } from "zod";
import type { Engine } from "#server/engine/contract.ts";
import { openSqliteEngine } from "#server/engine/sqlite/open.ts";
import { createJobs, type Jobs } from "#server/jobs/jobs.ts";
import type { TenantLimits } from "#server/jobs/tenant-limits.ts";
import { type AnyKind, defineKind } from "#server/kinds/define.ts";
import { createKindRegistry } from "#server/kinds/registry.ts";
import type { FiringResult } from "#server/schedules/observer.ts";
import { type OpenSchedules, openSchedules } from "#server/schedules/open.ts";
import { createTestClock } from "#server/testing/test-clock.ts";
import type { Clock } from "#shared/clock.ts";
import type { JobSummary } from "#shared/job.ts";
import { ownerOf } from "#shared/principal.ts";
import { newTestData } from "#test/engine/data.fixture.ts";
import { auditOf } from "#test/engine/audit.ts";
import { me } from "#test/jobs/acting.ts";

export const report = defineKind({
  name: "report",
  input: z.object({ to: z.string().default("all") }),
  output: z.unknown(),
  title: ({ to }) => `Report to ${to}`,
  run: async () => null,
});

export interface SchedulesFixture {
  engine: Engine;
  schedules: OpenSchedules;
  clock: Clock;
  /** Advances the clock; what becomes due is fired. */
  advance(ms: number): Promise<void>;
  /** Sets the machine's clock forward or back. */
  setClock(ms: number): void;
  /** The calls of the scheduler to its observer. */
  results: FiringResult[];
  lags: number[];
  /** Lines of the log from `warn` on. */
  logged: { msg: string; key?: string; reason?: string }[];
  /** All of the tenant's jobs, newest first. */
  jobs(): Promise<JobSummary[]>;
  /** The scheduler stops and starts again, after `downMs`, as another process with these kinds. */
  restart(downMs: number, kinds?: readonly AnyKind[]): Promise<void>;
  close(): Promise<void>;
}

export interface FixtureOptions {
  kinds?: readonly AnyKind[];
  limits?: TenantLimits;
  /** For faults: a process uses what this makes of its engine and jobs. */
  wrap?: (engine: Engine, jobs: Jobs) => { engine: Engine; jobs: Jobs };
}

/** `start`: the time of the clock. */
export async function openSchedulesFixture(
  start: string,
  options: FixtureOptions = {},
): Promise<SchedulesFixture> {
  const { wrap = (engine, jobs) => ({ engine, jobs }), limits } = options;
  const data = await newTestData();
  const timer = createTestClock(Date.parse(start));
  let setBy = 0;
  const clock: Clock = { ...timer, now: () => new Date(timer.now().getTime() + setBy) };
  const open = () => openSqliteEngine({ dataDir: data.env.DATA_DIR, clock: clock.steady });
  const logged: SchedulesFixture["logged"] = [];
  const log = pino({ level: "warn" }, { write: (text) => void logged.push(JSON.parse(text)) });
  const results: FiringResult[] = [];
  const lags: number[] = [];

  function openOn(engine: Engine, given: readonly AnyKind[]): OpenSchedules {
    const kinds = createKindRegistry(given);
    return openSchedules({
      ...wrap(engine, createJobs(engine, kinds, clock.now, limits)),
      kinds,
      record: auditOf(engine, clock.now).record,
      owner: ownerOf(me),
      clock,
      observer: {
        fired: (result) => void results.push(result),
        lagged: (seconds) => void lags.push(seconds),
      },
      log,
    });
  }

  const engine = await open();
  const fixture: SchedulesFixture = {
    engine,
    schedules: openOn(engine, options.kinds ?? [report]),
    clock,
    advance: (ms) => timer.advance(ms),
    setClock: (ms) => void (setBy += ms),
    results,
    lags,
    logged,
    async jobs() {
      const all: JobSummary[] = [];
      let cursor: string | undefined;
      do {
        const page = await fixture.engine.listJobs({ tenant: me.tenantId, cursor, limit: 200 });
        all.push(...page.items);
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      return all;
    },
    async restart(downMs, kinds = options.kinds ?? [report]) {
      await fixture.schedules.stop();
      await fixture.engine.close();
      await timer.advance(downMs);
      fixture.engine = await open();
      fixture.schedules = openOn(fixture.engine, kinds);
      fixture.schedules.start();
      await timer.advance(0);
    },
    async close() {
      await fixture.schedules.stop();
      await fixture.engine.close();
      await data.remove();
    },
  };
  fixture.schedules.start();
  return fixture;
}

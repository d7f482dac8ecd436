/** The schedules of a process: commands about them, and the scheduler that fires them. */
import type { Logger } from "pino";
import { createRequestValidator } from "#server/jobs/validate-request.ts";
import type { Clock } from "#shared/clock.ts";
import type { Owner } from "#shared/principal.ts";
import { declaredSchedules, startDeclaring } from "./declared.ts";
import type { ScheduleObserver } from "./observer.ts";
import { type Scheduler, type SchedulerOptions, startScheduler } from "./scheduler.ts";
import { createSchedules, type Schedules, type SchedulesOptions } from "./schedules.ts";
import { createStoreSchedule } from "./store-schedule.ts";

export interface OpenSchedulesOptions extends Pick<SchedulesOptions, "jobs" | "kinds" | "record"> {
  engine: SchedulerOptions["engine"];
  /** Of declared schedules. */
  owner: Owner;
  earlier?: Owner | undefined;
  clock: Clock;
  observer: ScheduleObserver;
  log: Logger;
}

export interface OpenSchedules {
  readonly commands: Schedules;
  /** Fires schedules from now on, and stores those that are declared. */
  start(): void;
  stop(): Promise<void>;
}

/** Throws `KindError` for a declared schedule that cannot be used. */
export function openSchedules(options: OpenSchedulesOptions): OpenSchedules {
  const { engine, jobs, kinds, record, owner, earlier, clock, observer, log } = options;
  const { schedules: store } = engine;
  const validate = createRequestValidator(kinds);
  const declared = declaredSchedules(kinds, validate);
  let scheduler: Scheduler | undefined;
  let endDeclaring: (() => void) | undefined;
  const wake = () => scheduler?.wake();
  return {
    commands: createSchedules({ engine, jobs, kinds, record, now: clock.now, wake }),
    start() {
      scheduler ??= startScheduler({ engine, jobs, kinds, clock, observer, log });
      endDeclaring = startDeclaring({
        store,
        storeSchedule: createStoreSchedule({ store, validate, now: clock.now }),
        declared,
        owner,
        earlier,
        kinds,
        clock,
        done: wake,
        log,
      });
    },
    async stop() {
      endDeclaring?.();
      await scheduler?.stop();
    },
  };
}

/** Commands and reads of schedules. Those that a principal may not read do not exist for it. */
import type { Engine } from "#server/engine/contract.ts";
import type { SchedulePage } from "#server/engine/schedule-store.ts";
import type { Jobs } from "#server/jobs/jobs.ts";
import { createRequestValidator } from "#server/jobs/validate-request.ts";
import type { KindRegistry } from "#server/kinds/registry.ts";
import type { ActingPrincipal } from "#shared/actor.ts";
import { type AuditAction, type AuditActor, auditActorOf } from "#shared/audit.ts";
import type { Job } from "#shared/job.ts";
import { type OwnersAsked, ownersFor } from "#shared/owners-asked.ts";
import { mayChange, mayReadLines, ownerOf, type Principal } from "#shared/principal.ts";
import {
  type Schedule,
  type ScheduleDetails,
  type ScheduleSummary,
  scheduleSummaryOf,
} from "#shared/schedule.ts";
import { createScheduleChanges, noSchedule, type ScheduleChange } from "./changes.ts";
import type { ScheduleRequest } from "./inputs.ts";
import { jobOf } from "./job-of-schedule.ts";
import { upcomingOf } from "./plan.ts";
import { createStoreSchedule } from "./store-schedule.ts";

/** Times that `get` shows. */
const SHOWN_TIMES = 5;
const TRIES = 20;

export interface Schedules {
  /** Stores a schedule under its key. Rejects as `StoreSchedule` does. */
  upsert(principal: ActingPrincipal, request: ScheduleRequest): Promise<ScheduleSummary>;
  /** With `key`: the one that an owner has under it. */
  list(
    principal: Principal,
    query: OwnersAsked & { key?: string | undefined; cursor?: string | undefined; limit: number },
  ): Promise<SchedulePage>;
  get(principal: Principal, scheduleId: string): Promise<ScheduleDetails>;
  pause(principal: ActingPrincipal, scheduleId: string): Promise<ScheduleSummary>;
  resume(principal: ActingPrincipal, scheduleId: string): Promise<ScheduleSummary>;
  /** Creates a job now, for the schedule's owner, and moves nothing. Rejects as `create` of jobs does. */
  trigger(principal: ActingPrincipal, scheduleId: string): Promise<Job>;
  delete(principal: ActingPrincipal, scheduleId: string): Promise<void>;
}

export interface SchedulesOptions {
  engine: Pick<Engine, "schedules">;
  jobs: Pick<Jobs, "createScheduled">;
  kinds: KindRegistry;
  /** For commands whose data lie elsewhere than their audit entries: never rejects. */
  record: (
    tenant: string,
    entry: { action: AuditAction; target: string; actor: AuditActor },
  ) => Promise<void>;
  now: () => Date;
  /** Called after a schedule was stored, or its times were changed. */
  wake: () => void;
}

export function createSchedules(options: SchedulesOptions): Schedules {
  const { engine, jobs, kinds, record, now, wake } = options;
  const { schedules: store } = engine;
  const validate = createRequestValidator(kinds);
  const storeSchedule = createStoreSchedule({ store, validate, now });

  const changesBy = (principal: Principal) =>
    createScheduleChanges({
      store,
      now,
      assertMay: (schedule, id) => {
        if (schedule === undefined || !mayChange(principal, schedule)) throw noSchedule(id);
      },
    });

  async function audited(
    principal: ActingPrincipal,
    action: AuditAction,
    { schedule, changed }: ScheduleChange,
  ): Promise<ScheduleSummary> {
    if (changed) {
      wake();
      const { tenant, id: target } = schedule;
      await record(tenant, { action, target, actor: auditActorOf(principal) });
    }
    return shown(scheduleSummaryOf(schedule));
  }

  /** The newest job, for lists. A schedule that was removed meanwhile has none. */
  async function noteJob(first: Schedule, jobId: string): Promise<void> {
    let schedule: Schedule | undefined = first;
    for (let tries = 0; schedule !== undefined && tries < TRIES; tries++) {
      const { version } = schedule;
      const noted = { ...schedule, lastJobId: jobId, updatedAt: now(), version: version + 1 };
      if (await store.replace(noted)) return;
      schedule = await store.get(first.id);
    }
  }

  return {
    async upsert(principal, request) {
      const stored = await storeSchedule(ownerOf(principal), request, false);
      return audited(principal, "schedule.upsert", stored);
    },
    async list(principal, { owner, allOwners, key, ...query }) {
      const owners = ownersFor(principal, { owner, allOwners });
      if (key === undefined) {
        const page = await store.list({ ...query, ...owners });
        return { ...page, items: page.items.map(shown) };
      }
      const { tenant, owner: of = principal.userId } = owners;
      const id = await store.find({ tenant, owner: of }, key);
      const schedule = id === undefined ? undefined : await store.get(id);
      const items = schedule === undefined ? [] : [shown(scheduleSummaryOf(schedule))];
      return { items, nextCursor: null };
    },
    async get(principal, scheduleId) {
      const schedule = await store.get(scheduleId);
      if (schedule === undefined || !mayReadLines(principal, schedule)) {
        throw noSchedule(scheduleId);
      }
      const { nextAt } = shown(schedule);
      return { ...schedule, nextAt, upcoming: upcomingOf(schedule, nextAt, SHOWN_TIMES) };
    },
    async pause(principal, scheduleId) {
      const done = await changesBy(principal).pause(scheduleId);
      return audited(principal, "schedule.pause", done);
    },
    async resume(principal, scheduleId) {
      const done = await changesBy(principal).resume(scheduleId);
      return audited(principal, "schedule.resume", done);
    },
    async trigger(principal, scheduleId) {
      const schedule = await store.get(scheduleId);
      if (schedule === undefined || !mayChange(principal, schedule)) throw noSchedule(scheduleId);
      const { tenant, owner } = schedule;
      const job = await jobs.createScheduled(principal, {
        ...jobOf(schedule),
        owner: { tenant, owner },
        action: "schedule.trigger",
      });
      await noteJob(schedule, job.id);
      return job;
    },
    async delete(principal, scheduleId) {
      const done = await changesBy(principal).remove(scheduleId);
      await audited(principal, "schedule.delete", done);
    },
  };
}

/** A schedule that is paused has no next time, and remembers which it had. */
function shown<T extends ScheduleSummary>(schedule: T): T {
  return schedule.pausedAt === null ? schedule : { ...schedule, nextAt: null };
}

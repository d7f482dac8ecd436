/** The management of schedules: what the command does, in the server or on an engine of its own. */
import type { SchedulePage, ScheduleQuery, ScheduleStore } from "#server/engine/schedule-store.ts";
import { createScheduleChanges, type ScheduleChange } from "#server/schedules/changes.ts";
import { type AuditAction, COMMAND_ACTOR } from "#shared/audit.ts";
import { type ScheduleSummary, scheduleSummaryOf } from "#shared/schedule.ts";
import type { Audit } from "./audit.ts";

/** All but `list` reject with `NOT_FOUND` if there is no such schedule. */
export interface ManagedSchedules {
  /** Newest first. `owner`: only with a tenant. */
  list(query: Pick<ScheduleQuery, "tenant" | "owner" | "cursor" | "limit">): Promise<SchedulePage>;
  pause(id: string): Promise<ScheduleSummary>;
  resume(id: string): Promise<ScheduleSummary>;
  /** A server that runs jobs creates one for it within a second, or the next one that starts. */
  trigger(id: string): Promise<ScheduleSummary>;
  /** Returns it as it was. */
  delete(id: string): Promise<ScheduleSummary>;
}

interface ManagedSchedulesOptions {
  store: ScheduleStore;
  audit: Pick<Audit, "record">;
  now: () => Date;
}

export function createManagedSchedules(options: ManagedSchedulesOptions): ManagedSchedules {
  const { store, audit, now } = options;
  const changes = createScheduleChanges({ store, now });
  const audited =
    (action: AuditAction, change: (id: string) => Promise<ScheduleChange>) =>
    async (id: string) => {
      const { schedule, changed } = await change(id);
      const entry = { action, target: id, actor: COMMAND_ACTOR };
      if (changed) await audit.record(schedule.tenant, entry);
      return scheduleSummaryOf(schedule);
    };
  return {
    list: (query) => store.list(query),
    pause: audited("schedule.pause", changes.pause),
    resume: audited("schedule.resume", changes.resume),
    trigger: audited("schedule.trigger", changes.request),
    delete: audited("schedule.delete", changes.remove),
  };
}

/** Gives the schedules of an owner to another one. */
import type { ScheduleAssigned, ScheduleStore } from "#server/engine/schedule-store.ts";
import { MAX_PAGE_ITEMS } from "#shared/limits.ts";
import type { Owner } from "#shared/principal.ts";
import { type ScheduleSummary, scheduleSummaryOf } from "#shared/schedule.ts";

export interface AssignedSchedules {
  moved: number;
  /** Those that stay with the owner of before, and why. */
  left: { id: string; key: string; why: "busy" | "taken" | "full" }[];
}

/** Firings and other callers may change a record between two tries. */
const TRIES = 20;

/**
 * Schedules that are declared in code stay: servers store them for an owner of their own. One that a firing holds stays as well, so
 * that no firing creates a job for both owners; a later call gives it.
 */
export async function assignSchedules(
  store: Pick<ScheduleStore, "assign" | "get" | "list">,
  { from, to, now }: { from: Owner; to: Owner; now: () => Date },
): Promise<AssignedSchedules> {
  async function give(first: ScheduleSummary): Promise<ScheduleAssigned> {
    let schedule: ScheduleSummary | undefined = first;
    for (let tries = 0; tries < TRIES; tries++) {
      if (schedule?.tenant !== from.tenant || schedule.owner !== from.owner) return "changed";
      const { tenant, owner } = to;
      const next = { ...schedule, tenant, owner, updatedAt: now(), version: schedule.version + 1 };
      const result = await store.assign(scheduleSummaryOf(next));
      if (result !== "changed") return result;
      schedule = await store.get(schedule.id);
    }
    return "busy";
  }

  const assigned: AssignedSchedules = { moved: 0, left: [] };
  let cursor: string | undefined;
  do {
    const page = await store.list({ ...from, cursor, limit: MAX_PAGE_ITEMS });
    // Together, so that they share commits.
    const given = page.items.filter(({ declared }) => !declared);
    const results = await Promise.all(given.map(give));
    for (const [index, { id, key }] of given.entries()) {
      const result = results[index] ?? "changed";
      if (result === "moved") assigned.moved += 1;
      else if (result !== "changed") assigned.left.push({ id, key, why: result });
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return assigned;
}

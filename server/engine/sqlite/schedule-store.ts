/** The store of schedules: each call in the transaction that it needs. */
import type { ScheduleStore } from "#server/engine/schedule-store.ts";
import type { Schedules } from "./schedules.ts";

interface Calls {
  read: <T>(call: () => T) => Promise<T>;
  /** `weight`: how much of a transaction it takes. */
  write: <T>(call: () => T, weight?: number) => Promise<T>;
  assertOpen: () => void;
}

export function scheduleStoreOf(
  schedules: Schedules,
  { read, write, assertOpen }: Calls,
): ScheduleStore {
  return {
    create: (schedule) => write(() => schedules.create(schedule)),
    replace: (schedule, changed) => write(() => schedules.replace(schedule, changed)),
    assign: (schedule) => write(() => schedules.assign(schedule)),
    remove: (id, version) => write(() => schedules.remove(id, version)),
    get: (id) => read(() => schedules.get(id)),
    find: (owner, key) => read(() => schedules.find(owner, key)),
    list: (query) => read(() => schedules.list(query)),
    async take(request) {
      // As with `claim`.
      if (!(await read(() => schedules.isDue(request)))) {
        return { taken: [], now: request.now, next: await read(() => schedules.next()) };
      }
      return write(() => schedules.take(request), request.max);
    },
    release: (id, version, delayMs, now) =>
      write(() => schedules.release(id, version, new Date(now.getTime() + delayMs))),
    async time(now) {
      assertOpen();
      return now;
    },
  };
}

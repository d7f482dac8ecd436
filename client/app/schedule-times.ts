/** The times of a new schedule as a person enters them. */
import type { ScheduleTimes } from "#shared/schedule.ts";

export const UNITS = {
  minutes: 60_000,
  hours: 3_600_000,
  days: 86_400_000,
} as const satisfies Record<string, number>;
export type Unit = keyof typeof UNITS;

export interface EnteredTimes {
  by: "cron" | "interval" | "once";
  cron: string;
  timeZone: string;
  /** A number of `unit`. */
  every: string;
  unit: Unit;
  /** In the person's own time zone, as browsers write it: `2026-07-01T09:00`. */
  at: string;
}

export const ENTERED_FIRST: EnteredTimes = {
  by: "cron",
  cron: "0 3 * * *",
  timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
  every: "1",
  unit: "hours",
  at: "",
};

/** The times, or the problem with the field that `by` shows. */
export function timesOf(entered: EnteredTimes): ScheduleTimes | { problem: string } {
  switch (entered.by) {
    case "cron":
      return { cron: entered.cron, timeZone: entered.timeZone };
    case "interval": {
      const every = Number(entered.every);
      const everyMs = Math.round(every * UNITS[entered.unit]);
      if (entered.every.trim() === "" || !(everyMs > 0))
        return { problem: "Enter a number above 0" };
      return { everyMs };
    }
    case "once": {
      const at = new Date(entered.at);
      return Number.isNaN(at.getTime()) ? { problem: "Enter a day and a time" } : { at };
    }
  }
}

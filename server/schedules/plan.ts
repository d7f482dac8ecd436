/**
 * The times of a schedule. Expressions are those of `croner`, with Vixie cron's rules for changes of the hour: hours and minutes
 * without `*` and steps name fixed times, of which one that does not exist comes when the clock has jumped forward, and one that
 * comes twice counts once. Other expressions skip times that do not exist, and count both of those that come twice.
 */
import { Cron } from "croner";
import { cutText } from "#shared/cut-text.ts";
import { AppError, messageOf } from "#shared/errors.ts";
import { MAX_ISSUE_CHARS, MAX_MISSED_COUNT } from "#shared/limits.ts";
import type { ScheduleSummary, When } from "#shared/schedule.ts";

/** The part of a schedule that its times follow from. */
export type Plan = Pick<ScheduleSummary, "cron" | "timeZone" | "everyMs" | "at">;
export type PlacedPlan = Plan & Pick<ScheduleSummary, "plannedAt">;

/** Years of such an expression would end it, and a date is no expression. */
const OPTIONS = { mode: "5-or-6-parts", fixedTimeRule: "no-wildcard" } as const;
/** An expression that begins so is no list of fields: croner takes dates too. */
const DATE = /^\s*\d{4}-/;

/** Throws `BAD_REQUEST` for an expression or a time zone that is none, and for an expression without any time. */
export function planOf({ cron, timeZone, everyMs, at }: When): Plan {
  const none = { cron: null, timeZone: null, everyMs: null, at: null };
  if (everyMs !== undefined) return { ...none, everyMs };
  if (at !== undefined) return { ...none, at };
  if (DATE.test(cron)) throw invalid("cron", `"${cron}" is a date. Send it as \`at\``);
  const zone = zoneOf(timeZone ?? "UTC");
  let first: Date | null;
  try {
    // Far cheaper without a time zone, and an expression without any time is searched for 400 years.
    first = new Cron(cron, { ...OPTIONS, utcOffset: 0 }).nextRun(new Date(0));
  } catch (error) {
    throw invalid("cron", `"${cron}" is no expression of cron (${messageOf(error)})`);
  }
  if (first === null) throw invalid("cron", `"${cron}" names no time that ever comes`);
  return { ...none, cron, timeZone: zone };
}

/** The name as the database of time zones has it: croner keeps each other spelling for good. */
function zoneOf(name: string): string {
  let zone = name;
  try {
    zone = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    throw invalid("timeZone", `"${name}" is no time zone of the IANA database`);
  }
  if (/^[+-]/.test(zone)) {
    throw invalid("timeZone", `"${name}" is an offset. Name a time zone such as Europe/Stockholm`);
  }
  return zone;
}

function invalid(field: string, text: string): AppError {
  const message = cutText(`${text}.`, MAX_ISSUE_CHARS);
  return new AppError("BAD_REQUEST", message, { issues: [{ path: [field], message }] });
}

/** The first time after `time`; `null`: there is none. */
export function nextAfter(plan: PlacedPlan, time: Date): Date | null {
  const { everyMs, at } = plan;
  if (at !== null) return at > time ? at : null;
  if (everyMs === null) return cronOf(plan).nextRun(time);
  const start = plan.plannedAt.getTime();
  const passed = Math.max(0, Math.floor((time.getTime() - start) / everyMs));
  return new Date(start + (passed + 1) * everyMs);
}

/** The newest time from `first` on, itself a time of the plan, that is before `end`; `first` where there is no later one. */
export function newestBefore(plan: PlacedPlan, first: Date, end: Date): Date {
  const { everyMs, at } = plan;
  if (at !== null) return first;
  if (everyMs !== null) {
    const passed = Math.ceil((end.getTime() - first.getTime()) / everyMs) - 1;
    return new Date(first.getTime() + Math.max(0, passed) * everyMs);
  }
  const [found] = cronOf(plan).previousRuns(1, end);
  return found === undefined || found < first ? first : found;
}

/** The number of times from `first` to `last`, both times of the plan: at most `MAX_MISSED_COUNT`. */
export function countOf(plan: PlacedPlan, first: Date, last: Date): number {
  let count = 1;
  let time: Date | null = first;
  while (count < MAX_MISSED_COUNT && time < last) {
    time = nextAfter(plan, time);
    if (time === null || time > last) break;
    count += 1;
  }
  return count;
}

/** The next `count` times, from `first` on. */
export function upcomingOf(plan: PlacedPlan, first: Date | null, count: number): Date[] {
  const times: Date[] = [];
  for (let time = first; time !== null && times.length < count; time = nextAfter(plan, time)) {
    times.push(time);
  }
  return times;
}

function cronOf({ cron, timeZone }: Plan): Cron {
  if (cron === null) throw new AppError("INTERNAL", "A schedule has no time.");
  return new Cron(cron, { ...OPTIONS, timezone: timeZone ?? "UTC" });
}

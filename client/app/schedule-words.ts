/** A schedule in words: when it creates jobs, and with which options. Pure. */
import type { ScheduleSummary } from "#shared/schedule.ts";

/** A newer server may have further ways to name times. */
export function whenOf({ cron, timeZone, everyMs, at }: ScheduleSummary): string {
  if (cron !== null) return `${cron} (${timeZone ?? "UTC"})`;
  if (everyMs !== null) return `every ${durationOf(everyMs)}`;
  return at === null ? "at times of its own" : "once";
}

/** Those that its jobs have other than usual. An older server names none. */
export function optionsOf({ priority, expiresInMs, maxAttempts }: ScheduleOptions): string[] {
  const words: string[] = [];
  if (priority != null) words.push(`priority ${priority}`);
  if (expiresInMs != null) words.push(`expires after ${durationOf(expiresInMs)}`);
  if (maxAttempts === 1) words.push("at most 1 attempt");
  else if (maxAttempts != null) words.push(`at most ${maxAttempts} attempts`);
  return words;
}

type ScheduleOptions = Partial<Pick<ScheduleSummary, "priority" | "expiresInMs" | "maxAttempts">>;

function durationOf(ms: number): string {
  const units = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
  ] as const;
  const [size, unit] = units.find(([size]) => ms % size === 0) ?? [1000, "s"];
  return `${ms / size} ${unit}`;
}

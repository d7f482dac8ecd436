import { useSyncExternalStore } from "react";

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "narrow" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

function onTick(listener: () => void): () => void {
  const timer = setInterval(listener, 5000);
  return () => clearInterval(timer);
}
const seconds = () => Math.floor(Date.now() / 1000);

export function ageOf(at: Date, now: number): string {
  const age = Math.max(0, now - at.getTime());
  const [unit, size] = UNITS.find(([, ms]) => age >= ms) ?? ["second", 1000];
  return age < 5000 ? "now" : relative.format(-Math.floor(age / size), unit);
}

/** Relative time; the exact time on hover. */
export function Age({ at }: { at: Date }) {
  const now = useSyncExternalStore(onTick, seconds) * 1000;
  return (
    <time dateTime={at.toISOString()} title={at.toLocaleString()} className="tabular-nums">
      {ageOf(at, now)}
    </time>
  );
}

const dateAndTime = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** A date with its time, in the person's time zone. */
export function Moment({ at }: { at: Date }) {
  return (
    <time dateTime={at.toISOString()} title={at.toLocaleString()} className="tabular-nums">
      {dateAndTime.format(at)}
    </time>
  );
}

export function Clock({ at }: { at: Date }) {
  return (
    <time dateTime={at.toISOString()} title={at.toLocaleString()} className="tabular-nums">
      {clock.format(at)}
    </time>
  );
}

/** Progress as bars of a terminal: one for a job, and one for a batch with its rate and the time that is left. */
import cliProgress from "cli-progress";
import type { Output } from "#server/command/context.ts";
import { printable } from "#server/command/printable.ts";
import { cutText } from "#shared/cut-text.ts";
import { badEndings } from "./lines.ts";
import type { BatchState, JobState, Reporter, Watched } from "./reporter.ts";

const JOB = "{name} [{bar}] {percentage}% {status} {text}";
const BATCH = "{name} [{bar}] {percentage}% {value}/{total} {rate} {left} {bad}";
const NAME_CHARS = 30;
const TEXT_CHARS = 60;

type Bar = cliProgress.SingleBar;

/** `now`: for the rate. */
export function createBars(output: Output, now: () => Date): Reporter {
  const bars = new cliProgress.MultiBar(
    { stream: output as NodeJS.WriteStream, hideCursor: true, barsize: 24 },
    cliProgress.Presets.shades_classic,
  );
  const open = new Map<string, { bar: Bar; first: number; since: number }>();

  function barOf(
    { id, name }: Watched,
    format: string,
    { total, value }: { total: number; value: number },
  ) {
    const known = open.get(id);
    if (known !== undefined) return known;
    const bar = bars.create(
      total,
      value,
      { name: cutText(printable(name), NAME_CHARS) },
      { format },
    );
    const fresh = { bar, first: value, since: now().getTime() };
    open.set(id, fresh);
    return fresh;
  }

  function showJob(job: Watched, { status, progress, message }: JobState): void {
    const text = cutText(printable(message), TEXT_CHARS);
    barOf(job, JOB, { total: 100, value: progress }).bar.update(progress, { status, text });
  }

  function showBatch(batch: Watched, state: BatchState): void {
    const { total, completed } = state;
    const { bar, first, since } = barOf(batch, BATCH, { total, value: completed });
    const seconds = (now().getTime() - since) / 1000;
    const rate = seconds > 0 ? (completed - first) / seconds : 0;
    bar.update(completed, {
      rate: `${rate.toFixed(1)}/s`,
      left:
        completed === total || rate === 0 ? "" : `${durationOf((total - completed) / rate)} left`,
      bad: badEndings(state).join(", "),
    });
  }

  return {
    job: showJob,
    batch: showBatch,
    connection({ id }, state) {
      open.get(id)?.bar.update({ text: state === "lost" ? "connection lost; trying again" : "" });
    },
    end: () => bars.stop(),
  };
}

/** `1:05`, `2:00:00`. */
function durationOf(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${twoDigits(m)}:${twoDigits(s)}` : `${m}:${twoDigits(s)}`;
}

function twoDigits(n: number): string {
  return String(n).padStart(2, "0");
}

/** Deletes what is old, such as jobs that settled long ago, in small steps, once an hour. */
import type { Logger } from "pino";
import type { Engine } from "#server/engine/contract.ts";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import type { Clock } from "#shared/clock.ts";
import { wholeMessageOf } from "#shared/errors.ts";

const DAY_MS = 24 * 60 * 60_000;
const EVERY_MS = 60 * 60_000;
const STEP = 200;

/** `days` 0 keeps everything. Returns a function that stops it. */
export function startRetention(options: {
  engine: Pick<Engine, "prune">;
  /** What it deletes, for the log. */
  what?: "jobs" | "entries of audit lists";
  days: number;
  now: () => Date;
  log: Logger;
  everyMs?: number;
  timer?: Pick<Clock, "every" | "hold">;
}): () => void {
  const { engine, what = "jobs", days, now, log } = options;
  const { everyMs = EVERY_MS, timer = SYSTEM_CLOCK } = options;
  if (days === 0) return () => {};
  let stopped = false;
  let pruning: Promise<void> | undefined;

  function start(): void {
    if (pruning !== undefined) return;
    pruning = pruneAll().finally(() => (pruning = undefined));
    timer.hold(pruning);
  }

  async function pruneAll(): Promise<void> {
    const before = new Date(now().getTime() - days * DAY_MS);
    let total = 0;
    try {
      // Another process may delete some of the same jobs, so a short answer is not the end.
      let deleted: number;
      do {
        deleted = await engine.prune(before, STEP);
        total += deleted;
      } while (deleted > 0 && !stopped);
      if (total > 0) log.info({ deleted: total, days }, `Old ${what} were deleted`);
    } catch (error) {
      log.warn(
        { reason: wholeMessageOf(error) },
        `Old ${what} could not be deleted. The next run tries again`,
      );
    }
  }

  start();
  const end = timer.every(everyMs, start);
  return () => {
    stopped = true;
    end();
  };
}

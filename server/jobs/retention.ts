/** Deletes what is old, such as jobs that settled long ago, in small steps, once an hour. */
import type { Logger } from "pino";
import type { Engine } from "#server/engine/contract.ts";
import type { AnyKind } from "#server/kinds/define.ts";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import type { Clock } from "#shared/clock.ts";
import { wholeMessageOf } from "#shared/errors.ts";

const DAY_MS = 24 * 60 * 60_000;
const EVERY_MS = 60 * 60_000;
const STEP = 200;

/** `days` 0 keeps everything, but for what `kinds` says of jobs of its own. Returns a function that stops it. */
export function startRetention(options: {
  engine: Pick<Engine, "prune">;
  /** What it deletes, for the log. */
  what?: "jobs" | "entries of audit lists";
  days: number;
  kinds?: ReadonlyMap<string, AnyKind>;
  now: () => Date;
  log: Logger;
  everyMs?: number;
  timer?: Pick<Clock, "every" | "hold">;
}): () => void {
  const { engine, what = "jobs", days, now, log } = options;
  const { everyMs = EVERY_MS, timer = SYSTEM_CLOCK } = options;
  const ownDays = new Map<string, number>();
  for (const { name, retentionDays } of options.kinds?.values() ?? []) {
    if (retentionDays !== undefined) ownDays.set(name, retentionDays);
  }
  if (days === 0 && ![...ownDays.values()].some((own) => own > 0)) return () => {};
  let stopped = false;
  let pruning: Promise<void> | undefined;

  function start(): void {
    if (pruning !== undefined) return;
    pruning = pruneAll().finally(() => (pruning = undefined));
    timer.hold(pruning);
  }

  async function pruneAll(): Promise<void> {
    const time = now().getTime();
    const before = (kept: number) => (kept === 0 ? null : new Date(time - kept * DAY_MS));
    const own = new Map([...ownDays].map(([kind, kept]) => [kind, before(kept)]));
    let total = 0;
    try {
      // Another process may delete some of the same jobs, so a short answer is not the end.
      let deleted: number;
      do {
        deleted = await engine.prune(before(days), STEP, own);
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

/** Signals that there may be work: at once for due jobs, and by one timer for the next due time. */
import { notify } from "#server/engine/notify.ts";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";

export interface WorkSignal {
  on(listener: () => void): () => void;
  /** A job is due: call the listeners. */
  readonly fire: () => void;
  /** Due times changed: set the timer anew. */
  readonly rearm: () => void;
  close(): void;
}

/** Longer delays make Node's timers fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Pause before the queue is read again after a failure. */
const RETRY_MS = 1000;

/**
 * `nextDue(after)`: the first due time or end of a lease that is later than `after`. `clock` never goes back,
 * so a timer fires too early only by its own inaccuracy.
 * `after`: its timer.
 */
export function openWorkSignal(
  nextDue: (after: number) => number | undefined,
  clock: () => number,
  after = SYSTEM_CLOCK.after,
): WorkSignal {
  const listeners = new Set<() => void>();
  let disarm: (() => void) | undefined;
  /** Listeners know of all work that was due by then. A slow commit can take longer than the lease that it stores. */
  let told = clock();

  function fire(): void {
    told = clock();
    notify(listeners, undefined);
  }

  function dueAfter(time: number): number | undefined {
    try {
      return nextDue(time);
    } catch {
      return time + RETRY_MS;
    }
  }

  function rearm(): void {
    disarm?.();
    disarm = undefined;
    if (listeners.size === 0) return;
    const time = clock();
    const due = dueAfter(Math.min(told, time));
    if (due === undefined) return;
    disarm = after(Math.min(Math.max(0, due - time), MAX_TIMEOUT_MS), () => {
      if (clock() >= due) fire();
      rearm();
    });
  }

  return {
    on(listener) {
      const registered = (): void => listener();
      listeners.add(registered);
      rearm();
      return () => void listeners.delete(registered);
    },
    fire,
    rearm,
    close() {
      listeners.clear();
      disarm?.();
    },
  };
}

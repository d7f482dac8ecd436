/**
 * A clock that stands still until a test advances it. It then goes from one due time to the next, and at each it waits until the
 * work that became due is done: so a job with retries passes through all of them in one call.
 *
 *   settle ──► next due time within the advance? ── no ──► the end of the advance
 *     ▲              │ yes
 *     └── call back ◄┘
 */
import type { Clock } from "#shared/clock.ts";

export interface TestClock {
  /** The time of this clock, which begins with that of the machine. */
  now(): Date;
  /**
   * Advances by `ms`. Resolves when all that became due is done: retries and what they lead to, deletions, the ends of credentials.
   * The clock stands while the code of a kind runs, also that of jobs which ran before, so that code takes no time; with
   * `whileRunning` it goes on, and leases of running jobs are renewed. Calls happen one after the other.
   * Rejects with `RangeError` if `ms` is negative or no number.
   */
  advance(ms: number, options?: { whileRunning?: boolean | undefined }): Promise<void>;
}

export interface ControlledClock extends Clock, TestClock {
  /** Waits until no code of a kind runs, then advances to the next due time, if there is one. */
  advanceToNext(): Promise<void>;
}

interface Timer {
  /** On the steady clock. */
  at: number;
  /** Absent: it calls back once. */
  everyMs?: number;
  callback(): void;
}

/** Less than the usual time limit of a test, so that a test that waits says why. */
const WARN_AFTER_MS = 3000;

export function createTestClock(start = Date.now()): ControlledClock {
  let time = 0;
  const timers = new Set<Timer>();
  const steps = new Set<Promise<unknown>>();
  const attempts = new Set<Promise<unknown>>();
  /** The calls of `advance` so far. */
  let advances = Promise.resolve();

  function add(timer: Timer): () => void {
    timers.add(timer);
    return () => void timers.delete(timer);
  }

  function hold(work: Promise<unknown>, what?: "attempt"): void {
    const held = what === "attempt" ? attempts : steps;
    held.add(work);
    const done = () => void held.delete(work);
    work.then(done, done);
  }

  /** Waits until nothing is under way, and nothing was begun for one turn of the event loop. */
  async function settle(whileRunning: boolean): Promise<void> {
    const warning = setTimeout(warnOfWait, WARN_AFTER_MS, attempts);
    try {
      for (;;) {
        // Writes of one turn are committed together, and only then told.
        await new Promise(setImmediate);
        const work = whileRunning ? [...steps] : [...steps, ...attempts];
        if (work.length === 0) return;
        await Promise.allSettled(work);
      }
    } finally {
      clearTimeout(warning);
    }
  }

  /** Infinite if there is none. */
  function earliestOnce(): number {
    return Math.min(...[...timers].filter(isOnce).map(({ at }) => at));
  }

  /**
   * When a timer is to call back. What is done again and again matters to running jobs alone (their leases). So while none runs,
   * only the last time before `end` counts: otherwise a month would take as many calls as in production.
   */
  function nextCall({ at, everyMs }: Timer, end: number): number {
    if (everyMs === undefined || attempts.size > 0 || at > end) return at;
    return at + Math.floor((end - at) / everyMs) * everyMs;
  }

  /** The timer that calls back next, by `end` at the latest. */
  function nextTimer(end: number): { timer: Timer; at: number } | undefined {
    const horizon = Math.min(end, earliestOnce());
    const calls = [...timers].map((timer) => ({ timer, at: nextCall(timer, horizon) }));
    // Leases are renewed before they end at the same time.
    calls.sort((a, b) => a.at - b.at || Number(isOnce(a.timer)) - Number(isOnce(b.timer)));
    const [next] = calls;
    return next !== undefined && next.at <= end ? next : undefined;
  }

  function call({ timer, at }: { timer: Timer; at: number }): void {
    time = Math.max(time, at);
    if (timer.everyMs === undefined) timers.delete(timer);
    else timer.at = at + timer.everyMs;
    timer.callback();
  }

  async function go(ms: number, whileRunning: boolean): Promise<void> {
    const end = time + ms;
    await settle(whileRunning);
    for (let next = nextTimer(end); next !== undefined; next = nextTimer(end)) {
      call(next);
      await settle(whileRunning);
    }
    time = Math.max(time, end);
  }

  /** A step after those that were asked for before. */
  function inTurn(step: () => Promise<void>): Promise<void> {
    const done = advances.then(step);
    advances = done.catch(() => undefined);
    return done;
  }

  return {
    now: () => new Date(start + time),
    steady: () => time,
    after: (ms, callback) => add({ at: time + Math.max(0, ms), callback }),
    every: (everyMs, callback) => add({ at: time + everyMs, everyMs, callback }),
    hold,
    async advance(ms, { whileRunning = false } = {}) {
      if (!(ms >= 0 && ms < Infinity)) {
        throw new RangeError(`A clock cannot advance by ${ms} ms. Give a number from 0 on.`);
      }
      await inTurn(() => go(ms, whileRunning));
    },
    advanceToNext: () =>
      inTurn(async () => {
        await settle(false);
        const at = earliestOnce();
        if (at < Infinity) await go(Math.max(0, at - time), false);
      }),
  };
}

const isOnce = ({ everyMs }: Timer): boolean => everyMs === undefined;

function warnOfWait(attempts: ReadonlySet<unknown>): void {
  if (attempts.size === 0) return;
  process.emitWarning(
    `The clock waits for the code of ${attempts.size} running jobs. Let it return, or advance with { whileRunning: true }.`,
    "JobwireWarning",
  );
}

/** The time that one page may cost: every address of it that is tried, its redirects, and reading it. */
export interface PageClock {
  readonly totalMs: number;
  /** Whole milliseconds, and never less than 0. */
  leftMs(): number;
}

export function startClock(totalMs: number, now: () => number): PageClock {
  const end = now() + totalMs;
  return { totalMs, leftMs: () => Math.max(0, Math.ceil(end - now())) };
}

/** The time budget of one page: all addresses of it that are tried, redirects, and the processor time of reading. */
export interface PageClock {
  readonly totalMs: number;
  /** Whole milliseconds, at least 0. */
  leftMs(): number;
}

export function startClock(totalMs: number, now: () => number): PageClock {
  const end = now() + totalMs;
  return { totalMs, leftMs: () => Math.max(0, Math.ceil(end - now())) };
}

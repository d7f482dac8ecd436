/** Receives what happens to firings, for metrics. */
export const FIRING_RESULTS = ["fired", "failed", "missed"] as const;
export type FiringResult = (typeof FIRING_RESULTS)[number];

export interface ScheduleObserver {
  /** A firing was decided. `missed`: without a job. */
  fired(result: FiringResult): void;
  /** The time from when a job was due by plan until it was stored, in seconds. */
  lagged(seconds: number): void;
}

/** Moments of a process, for how long ago something was. */

export interface Moment {
  /** By the machine's clock. */
  wall: Date;
  /** In milliseconds of a clock that never goes back. */
  steady: number;
}

/**
 * Milliseconds from one to the other, by the clock that says more: the machine's clock can be set back, and the other one
 * may stand while the machine is asleep.
 */
export function longestBetween(from: Moment, to: Moment): number {
  return Math.max(to.wall.getTime() - from.wall.getTime(), to.steady - from.steady);
}

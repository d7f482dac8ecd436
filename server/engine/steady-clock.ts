/** A clock for delays: it runs evenly, whatever becomes of the machine's clock. */

/**
 * Milliseconds since 1970 by the machine's clock when this is called, and from then on by one that only goes forward. So
 * its times can be stored and read by a later process, and setting the machine's clock neither prolongs nor shortens a
 * delay of this one. It may stand while the machine is asleep.
 */
export function createSteadyClock(
  wall: () => number = Date.now,
  monotonic: () => number = () => performance.now(),
): () => number {
  const start = wall() - monotonic();
  return () => Math.floor(start + monotonic());
}

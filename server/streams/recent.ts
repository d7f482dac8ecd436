/**
 * What was read a moment ago, for those who ask for the same now: a herd that comes back at once costs a few reads
 * and not one for each. What could not be read, and what is `undefined`, is asked for anew.
 */

/** Short enough that nobody waits for the truth, long enough that a herd shares it. Milliseconds. */
const KEEP_MS = 100;

export interface Recent<R> {
  get(key: string | number, read: () => Promise<R>): Promise<R>;
  forget(): void;
}

export function createRecent<R>(): Recent<R> {
  const known = new Map<string | number, { result: Promise<R>; until: number }>();

  function dropOld(now: number): void {
    // All are kept equally long, so that the oldest stand first.
    for (const [key, { until }] of known) {
      if (until > now) return;
      known.delete(key);
    }
  }

  return {
    get(key, read) {
      const now = performance.now();
      dropOld(now);
      const found = known.get(key);
      if (found !== undefined) return found.result;
      const entry = { result: read(), until: now + KEEP_MS };
      known.set(key, entry);
      const drop = () => {
        if (known.get(key) === entry) known.delete(key);
      };
      entry.result.then((value) => value === undefined && drop(), drop);
      return entry.result;
    },
    forget: () => known.clear(),
  };
}

/**
 * What was read a moment ago, for those who ask for the same now: a herd that comes back at once costs a few reads
 * and not one for each. What could not be read, and what is `undefined`, is asked for anew.
 */

/** Short enough that nobody waits for the truth, long enough that a herd shares it. Milliseconds. */
const KEEP_MS = 100;

export interface RequestCoalescer<R> {
  get(key: string | number, read: () => Promise<R>): Promise<R>;
  forget(): void;
}

export function createRequestCoalescer<R>(): RequestCoalescer<R> {
  const known = new Map<string | number, Promise<R>>();
  return {
    get(key, read) {
      const found = known.get(key);
      if (found !== undefined) return found;
      const result = read();
      known.set(key, result);
      const drop = () => {
        if (known.get(key) === result) known.delete(key);
      };
      setTimeout(drop, KEEP_MS).unref();
      result.then((value) => value === undefined && drop(), drop);
      return result;
    },
    forget: () => known.clear(),
  };
}

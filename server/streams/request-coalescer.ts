/**
 * Coalesces identical reads that are under way or a moment old: a thundering herd costs a few reads, and not one for
 * each. A failed read, and one that gave `undefined`, is not kept.
 */

/** Short enough that results are fresh, long enough that a herd shares them. */
const KEEP_MS = 100;

export interface RequestCoalescer<R> {
  /** The kept result of `key`, or that of `read`. */
  get(key: string | number, read: () => Promise<R>): Promise<R>;
  /** Makes the next `get` of each key read anew. */
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

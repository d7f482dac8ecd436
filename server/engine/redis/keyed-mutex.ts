/** Runs calls with the same key one after the other. */
export type RunExclusive = <T>(key: string, call: () => Promise<T>) => Promise<T>;

export function createKeyedMutex(): RunExclusive {
  /** The end of the newest call of each key. */
  const last = new Map<string, Promise<unknown>>();
  return async (key, call) => {
    const before = last.get(key);
    const mine = before ? before.then(call) : call();
    const settled = mine.catch(() => undefined);
    last.set(key, settled);
    try {
      return await mine;
    } finally {
      if (last.get(key) === settled) last.delete(key);
    }
  };
}

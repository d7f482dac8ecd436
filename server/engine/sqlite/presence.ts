/** Which workers are there. In memory: with one process, whoever announced itself elsewhere is gone. */
export interface Presence {
  announce(worker: string, ttlMs: number): void;
  present(): string[];
}

export function createPresence(clock: () => number): Presence {
  const until = new Map<string, number>();
  return {
    announce(worker, ttlMs) {
      until.set(worker, clock() + ttlMs);
    },
    present() {
      const now = clock();
      for (const [worker, end] of until) if (end <= now) until.delete(worker);
      return [...until.keys()].toSorted();
    },
  };
}

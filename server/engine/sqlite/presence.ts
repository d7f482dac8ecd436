/** Which workers are there. In memory: with one process, whoever announced itself elsewhere is gone. */
export interface Presence {
  announce(worker: string, ttlMs: number, now: Date): void;
  present(now: Date): string[];
}

export function createPresence(): Presence {
  const until = new Map<string, number>();
  return {
    announce(worker, ttlMs, now) {
      until.set(worker, now.getTime() + ttlMs);
    },
    present(now) {
      for (const [worker, end] of until) if (end <= now.getTime()) until.delete(worker);
      return [...until.keys()].toSorted();
    },
  };
}

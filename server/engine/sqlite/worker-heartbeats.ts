/** Heartbeats of workers. In memory: one process owns the data, so there are no workers elsewhere. */
export interface WorkerHeartbeats {
  announce(worker: string, ttlMs: number): void;
  present(): string[];
}

export function createWorkerHeartbeats(clock: () => number): WorkerHeartbeats {
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

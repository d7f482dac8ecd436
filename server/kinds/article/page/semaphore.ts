/** A semaphore: runs at most `permits` tasks at once. The others wait in FIFO order. */
export type Semaphore = <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;

/** The returned function rejects with the abort reason of its signal, also while it waits. */
export function createSemaphore(permits: number): Semaphore {
  let running = 0;
  const waiting: (() => void)[] = [];

  function acquire(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (running < permits) {
      running += 1;
      return Promise.resolve();
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => {
      waiting.splice(waiting.indexOf(grant), 1);
      reject(signal.reason as Error);
    };
    const grant = (): void => {
      signal.removeEventListener("abort", abort);
      resolve();
    };
    signal.addEventListener("abort", abort, { once: true });
    waiting.push(grant);
    return promise;
  }

  /** Hands the permit to the next waiting task, if there is one. */
  function release(): void {
    const grant = waiting.shift();
    if (grant === undefined) running -= 1;
    else grant();
  }

  return async (signal, work) => {
    await acquire(signal);
    try {
      return await work();
    } finally {
      release();
    }
  };
}

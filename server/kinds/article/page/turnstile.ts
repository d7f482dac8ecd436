/** Lets a few through at once; the others wait in the order in which they came. */
export type Turnstile = <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;

/** Rejects with the reason of the signal, also while it waits. */
export function createTurnstile(most: number): Turnstile {
  let inside = 0;
  const waiting: (() => void)[] = [];

  function enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (inside < most) {
      inside += 1;
      return Promise.resolve();
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => {
      waiting.splice(waiting.indexOf(admit), 1);
      reject(signal.reason as Error);
    };
    const admit = (): void => {
      signal.removeEventListener("abort", abort);
      resolve();
    };
    signal.addEventListener("abort", abort, { once: true });
    waiting.push(admit);
    return promise;
  }

  /** The place goes to the next one, if there is one. */
  function leave(): void {
    const admit = waiting.shift();
    if (admit === undefined) inside -= 1;
    else admit();
  }

  return async (signal, work) => {
    await enter(signal);
    try {
      return await work();
    } finally {
      leave();
    }
  };
}

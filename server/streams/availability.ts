/**
 * Tells watchers whether the data is available. While it is not, they stay connected and see nothing new. The engine is
 * probed for as long as there is a subscriber.
 */
import type { Engine } from "#server/engine/contract.ts";

export interface Availability {
  /** `true` while the data is available: the present state first, then each change, until the signal aborts. */
  states(signal?: AbortSignal): AsyncIterable<boolean>;
  close(): void;
}

/** The id of no job: reading it proves that reads work. */
const NO_JOB = "00000000-0000-0000-0000-000000000000";

export function createAvailability(
  engine: Pick<Engine, "getSummary">,
  everyMs: number,
): Availability {
  let available = true;
  let subscribers = 0;
  let isProbing = false;
  let timer: NodeJS.Timeout | undefined;
  const waiting = new Set<() => void>();

  function update(state: boolean): void {
    if (state === available) return;
    available = state;
    wakeAll();
  }

  function wakeAll(): void {
    for (const wake of waiting) wake();
    waiting.clear();
  }

  async function probe(): Promise<void> {
    if (isProbing || subscribers === 0) return;
    isProbing = true;
    const state = await engine.getSummary(NO_JOB).then(
      () => true,
      () => false,
    );
    isProbing = false;
    update(state);
    if (subscribers > 0) timer = setTimeout(() => void probe(), everyMs).unref();
  }

  function change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      };
      const abort = () => {
        waiting.delete(wake);
        resolve();
      };
      waiting.add(wake);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  let closed = false;
  return {
    async *states(signal) {
      subscribers += 1;
      try {
        void probe();
        let reported: boolean | undefined;
        while (!closed && signal?.aborted !== true) {
          if (reported === available) {
            await change(signal);
          } else {
            reported = available;
            yield reported;
          }
        }
      } finally {
        subscribers -= 1;
        if (subscribers === 0) clearTimeout(timer);
      }
    },
    close() {
      closed = true;
      clearTimeout(timer);
      subscribers = 0;
      wakeAll();
    },
  };
}

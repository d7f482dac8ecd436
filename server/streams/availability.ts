/**
 * Whether the data can be read right now. While they cannot, watchers stay connected and see nothing new, and they
 * should know that. It is looked at for as long as somebody wants to know.
 */
import type { Engine } from "#server/engine/contract.ts";

export interface Availability {
  /** Whether they can at first, and then each change of that, until the signal aborts. */
  states(signal?: AbortSignal): AsyncIterable<boolean>;
  close(): void;
}

/** The id of no job. To read nothing is to read. */
const NOBODY = "00000000-0000-0000-0000-000000000000";

export function createAvailability(
  engine: Pick<Engine, "getSummary">,
  everyMs: number,
): Availability {
  let reached = true;
  let watching = 0;
  let looking = false;
  let timer: NodeJS.Timeout | undefined;
  const waiting = new Set<() => void>();

  function tell(state: boolean): void {
    if (state === reached) return;
    reached = state;
    wakeAll();
  }

  function wakeAll(): void {
    for (const wake of waiting) wake();
    waiting.clear();
  }

  async function look(): Promise<void> {
    if (looking || watching === 0) return;
    looking = true;
    const state = await engine.getSummary(NOBODY).then(
      () => true,
      () => false,
    );
    looking = false;
    tell(state);
    if (watching > 0) timer = setTimeout(() => void look(), everyMs).unref();
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
      watching += 1;
      try {
        void look();
        let told: boolean | undefined;
        while (!closed && signal?.aborted !== true) {
          if (told === reached) {
            await change(signal);
          } else {
            told = reached;
            yield told;
          }
        }
      } finally {
        watching -= 1;
        if (watching === 0) clearTimeout(timer);
      }
    },
    close() {
      closed = true;
      clearTimeout(timer);
      watching = 0;
      wakeAll();
    },
  };
}

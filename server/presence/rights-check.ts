/**
 * Ends watches whose watcher may no longer see the job or batch: it was deleted, or went to another owner. However many watch
 * one, it is read once in `CHECK_MS`.
 */
import type { Engine } from "#server/engine/contract.ts";
import type { Clock } from "#shared/clock.ts";
import { AppError } from "#shared/errors.ts";
import { type PresenceOf, topicOf, type PresenceTopic } from "#shared/presence.ts";
import { mayRead, type Principal } from "#shared/principal.ts";
import { DelayQueue } from "./delay-queue.ts";

/** How long a watch may go on after its watcher lost the right to it. */
export const CHECK_MS = 30_000;

interface Watcher {
  principal: Principal;
  end(reason: AppError): void;
}

type WatchersOf = Set<Watcher>;

export interface RightsCheck {
  /** Calls `end` once, with `NOT_FOUND`, unless the returned function was called before. */
  watch(principal: Principal, of: PresenceOf, end: Watcher["end"]): () => void;
  close(): void;
}

type Reads = Pick<Engine, "getSummary" | "getBatch">;

export function createRightsCheck(engine: Reads, clock: Clock): RightsCheck {
  const places = new Map<PresenceTopic, WatchersOf>();
  const due = new DelayQueue(clock, CHECK_MS);

  async function check(of: PresenceOf, watchers: WatchersOf): Promise<void> {
    try {
      const sees = await readerOf(engine, of);
      for (const watcher of watchers) {
        if (sees(watcher.principal)) continue;
        watchers.delete(watcher);
        watcher.end(notFound(of));
      }
    } catch {
      // The data is not available, so the rights are not known.
    }
    checkLater(of, watchers);
  }

  function checkLater(of: PresenceOf, watchers: WatchersOf): void {
    const topic = topicOf(of);
    if (places.get(topic) !== watchers) return;
    if (watchers.size === 0) places.delete(topic);
    else due.add(topic, () => void check(of, watchers));
  }

  return {
    watch(principal, of, end) {
      const topic = topicOf(of);
      // The tenant itself has no owner, and is never deleted.
      if (topic === "tenant") return () => undefined;
      const watchers = places.get(topic) ?? new Set();
      const watcher = { principal, end };
      watchers.add(watcher);
      if (!places.has(topic)) {
        places.set(topic, watchers);
        checkLater(of, watchers);
      }
      return () => {
        watchers.delete(watcher);
        if (watchers.size > 0 || places.get(topic) !== watchers) return;
        places.delete(topic);
        due.delete(topic);
      };
    },
    close() {
      places.clear();
      due.clear();
    },
  };
}

/** Returns who sees the job or batch now. */
async function readerOf(
  engine: Reads,
  { jobId, batchId }: PresenceOf,
): Promise<(principal: Principal) => boolean> {
  if (jobId !== undefined) {
    const job = await engine.getSummary(jobId);
    return (principal) => job !== undefined && mayRead(principal, "job", job);
  }
  const batch = await engine.getBatch(batchId ?? "");
  return (principal) => batch !== undefined && mayRead(principal, "batch", batch);
}

function notFound({ jobId, batchId }: PresenceOf): AppError {
  const what = jobId === undefined ? `Batch ${batchId}` : `Job ${jobId}`;
  return new AppError("NOT_FOUND", `${what} does not exist.`);
}

/** The workers. In memory: one process owns the data, so they are in it. */
import { notify } from "#server/engine/notify.ts";
import type { ListedWorker, ListedWorkers, WorkerOrder } from "#server/engine/worker-store.ts";
import type { Worker } from "#shared/worker.ts";

export interface Workers {
  announce(worker: Worker, ttlMs: number): WorkerOrder | undefined;
  count(): number;
  list(query: { cursor?: string | undefined; limit: number }): ListedWorkers;
  get(id: string): ListedWorker | undefined;
  order(id: string, order: WorkerOrder): boolean;
  onOrder(id: string, listener: () => void): () => void;
}

const NONE: ReadonlySet<() => void> = new Set();

interface There {
  worker: Worker;
  until: number;
}

export function createWorkers(clock: () => number): Workers {
  const there = new Map<string, There>();
  /** Of workers of this process, so there are few, and they last as long as it does. */
  const orders = new Map<string, WorkerOrder>();
  const listeners = new Map<string, Set<() => void>>();

  function present(): Worker[] {
    const now = clock();
    return Array.from(there.values())
      .filter(({ until }) => until > now)
      .map(({ worker }) => worker)
      .toSorted((one, other) => (one.id < other.id ? -1 : 1));
  }
  const listed = (worker: Worker) => ({ ...worker, order: orders.get(worker.id) });

  return {
    announce(worker, ttlMs) {
      if (ttlMs > 0) there.set(worker.id, { worker, until: clock() + ttlMs });
      else there.delete(worker.id);
      return orders.get(worker.id);
    },
    count: () => present().length,
    list({ cursor = "", limit }) {
      const rest = present().filter(({ id }) => id > cursor);
      const items = rest.slice(0, limit).map(listed);
      return { items, nextCursor: rest.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
    get(id) {
      const worker = present().find((each) => each.id === id);
      return worker && listed(worker);
    },
    order(id, order) {
      if (!present().some((each) => each.id === id)) return false;
      orders.set(id, order);
      notify(listeners.get(id) ?? NONE, undefined);
      return true;
    },
    onOrder(id, listener) {
      const here = listeners.get(id) ?? new Set();
      listeners.set(id, here);
      const registered = (): void => listener();
      here.add(registered);
      return () => {
        here.delete(registered);
        if (here.size === 0) listeners.delete(id);
      };
    },
  };
}

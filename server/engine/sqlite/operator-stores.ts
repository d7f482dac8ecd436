/** The parts of the engine that store what operators see and order. */
import type { Engine } from "#server/engine/contract.ts";
import type { Pauses } from "./pauses.ts";
import { createWorkers } from "./workers.ts";

interface OperatorStoresOptions {
  clock: () => number;
  pauses: Pauses;
  read: <T>(query: () => T) => Promise<T>;
  write: <T>(op: () => T) => Promise<T>;
}

export function createOperatorStores({
  clock,
  pauses,
  read,
  write,
}: OperatorStoresOptions): Pick<Engine, "pauses" | "workers"> {
  const workers = createWorkers(clock);
  return {
    workers: {
      announce: (report, ttlMs) => read(() => workers.announce(report, ttlMs)),
      count: () => read(() => workers.count()),
      list: (query) => read(() => workers.list(query)),
      get: (id) => read(() => workers.get(id)),
      order: (id, order) => read(() => workers.order(id, order)),
      onOrder: (id, listener) => read(() => workers.onOrder(id, listener)),
    },
    pauses: {
      set: (pause) => write(() => pauses.set(pause)),
      remove: (scope) => write(() => pauses.remove(scope)),
      list: () => read(() => pauses.list()),
    },
  };
}

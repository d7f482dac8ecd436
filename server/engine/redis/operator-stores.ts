/** The parts of the engine that store what operators see and order. */
import type { Engine } from "#server/engine/contract.ts";
import { createPauses, type PausesOptions } from "./pauses.ts";
import { createWorkers, type WorkersOptions } from "./workers.ts";

interface OperatorStoresOptions extends PausesOptions, WorkersOptions {
  use: <T>(call: () => Promise<T>) => Promise<T>;
}

export function createOperatorStores({
  use,
  ...parts
}: OperatorStoresOptions): Pick<Engine, "pauses" | "workers"> {
  const workers = createWorkers(parts);
  const pauses = createPauses(parts);
  return {
    workers: {
      announce: (report, ttlMs) => use(() => workers.announce(report, ttlMs)),
      count: () => use(() => workers.count()),
      list: (query) => use(() => workers.list(query)),
      get: (id) => use(() => workers.get(id)),
      order: (id, order) => use(() => workers.order(id, order)),
      onOrder: (id, listener) => use(() => workers.onOrder(id, listener)),
    },
    pauses: {
      set: (pause) => use(() => pauses.set(pause)),
      remove: (scope) => use(() => pauses.remove(scope)),
      list: () => use(() => pauses.list()),
    },
  };
}

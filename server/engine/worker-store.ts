/** The part of an engine that knows which workers there are. Its methods reject as those of the engine do (`contract.ts`). */
import type { Worker, WorkerPage } from "#shared/worker.ts";

/** `drain`: start no more jobs. `run`: start jobs again. */
export type WorkerOrder = "drain" | "run";

export interface ListedWorker extends Worker {
  /** The newest order. It may not have reached the worker yet. */
  order: WorkerOrder | undefined;
}

export interface ListedWorkers extends Omit<WorkerPage, "items"> {
  items: ListedWorker[];
}

/** Nothing in it is stored for good: workers tell again, and an order ends with its worker. */
export interface WorkerStore {
  /**
   * Announces a worker for `ttlMs`, as it tells of itself; 0 withdraws it. Returns its newest order, if it has one: also after
   * it was not announced for up to a day, so that a process that was cut off for a while still has its order.
   */
  announce(worker: Worker, ttlMs: number): Promise<WorkerOrder | undefined>;
  /** The number of workers whose announcement holds, also of those of earlier versions, which `list` does not show. */
  count(): Promise<number>;
  /** Workers with an id after `cursor`, ordered by id, `limit` at most. A page may have fewer. */
  list(query: { cursor?: string | undefined; limit: number }): Promise<ListedWorkers>;
  get(id: string): Promise<ListedWorker | undefined>;
  /** Stores an order for a worker that is there. False: it is not. */
  order(id: string, order: WorkerOrder): Promise<boolean>;
  /** Hints that a worker got an order. They may be lost, late or doubled, as those of `onAppend`. */
  onOrder(id: string, listener: () => void): Promise<() => void>;
}

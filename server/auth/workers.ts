/** The workers of the instance, for operators and for commands. */
import type {
  ListedWorker,
  PauseStore,
  WorkerOrder,
  WorkerStore,
} from "#server/engine/contract.ts";
import { type AuditActor, INSTANCE_LIST } from "#shared/audit.ts";
import { cutText } from "#shared/cut-text.ts";
import { AppError } from "#shared/errors.ts";
import { isOfAll } from "#shared/pause.ts";
import type { Worker, WorkerPage, WorkerState } from "#shared/worker.ts";
import type { Audit } from "./audit.ts";

export interface Workers {
  /** As they told with their newest heartbeat; the one of this process as it is. Those that started first come first. */
  list(query: { cursor?: string | undefined; limit: number }): Promise<WorkerPage>;
  /** Lets a worker finish what it runs, and start no more. `NOT_FOUND` where there is no such worker. */
  drain(id: string, actor: AuditActor): Promise<Worker>;
  /** Ends `drain`. */
  resume(id: string, actor: AuditActor): Promise<Worker>;
}

interface WorkersOptions {
  store: WorkerStore;
  pauses: Pick<PauseStore, "list">;
  audit: Pick<Audit, "record">;
  /** The worker of this process. */
  own?: (() => Worker | undefined) | undefined;
}

export function createWorkers({ store, pauses, audit, own }: WorkersOptions): Workers {
  const isPaused = async () => (await pauses.list()).some(isOfAll);

  function shown({ order, ...told }: ListedWorker, paused: boolean): Worker {
    const live = own?.();
    const worker = live?.id === told.id ? live : told;
    return { ...worker, state: stateOf(worker.state, order, paused) };
  }

  async function give(id: string, order: WorkerOrder, actor: AuditActor): Promise<Worker> {
    const before = await store.get(id);
    const isNew = before !== undefined && (before.order ?? "run") !== order;
    if (before === undefined || (isNew && !(await store.order(id, order)))) throw noWorker(id);
    const action = order === "drain" ? "worker.drain" : "worker.resume";
    if (isNew) await audit.record(INSTANCE_LIST, { action, target: id, actor });
    return shown({ ...before, order }, await isPaused());
  }

  return {
    async list(query) {
      const [{ items, nextCursor }, paused] = await Promise.all([store.list(query), isPaused()]);
      return { items: items.map((each) => shown(each, paused)), nextCursor };
    },
    drain: (id, actor) => give(id, "drain", actor),
    resume: (id, actor) => give(id, "run", actor),
  };
}

/** An order shows at once, although its worker hears of it a moment later. */
function stateOf(told: WorkerState, order: WorkerOrder | undefined, paused: boolean): WorkerState {
  if (told === "stopping") return told;
  if (order === "drain") return told === "drained" ? told : "draining";
  return paused ? "paused" : "running";
}

function noWorker(id: string): AppError {
  return new AppError(
    "NOT_FOUND",
    `There is no worker ${JSON.stringify(cutText(id, 100))} (any more). List them to see those that there are.`,
  );
}

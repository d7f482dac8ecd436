/** The procedures of workers and pauses, as types: part of `api.ts`. */
import type { Mutation, Query } from "./api.ts";
import type { PageRequest } from "./api-inputs.ts";
import type { Pause } from "./pause.ts";
import type { Worker, WorkerPage } from "./worker.ts";

/** A type and no interface, as `Api`. */
export type WorkerApi = {
  /** The workers of the instance, with the jobs that they run. */
  list: Query<PageRequest | undefined, WorkerPage>;
  /** Lets a worker finish its jobs, and start no more. It ends with `resume`, or with the worker. */
  drain: Mutation<WorkerRef, Worker>;
  resume: Mutation<WorkerRef, Worker>;
};

export interface WorkerRef {
  workerId: string;
}

/** A type and no interface, as `Api`. */
export type PauseApi = {
  /** The pauses that concern the caller's tenant; an operator sees all. */
  list: Query<void, Pause[]>;
  /** Lets jobs wait until `remove`. Those that run go on. One that is there stays as it is. */
  set: Mutation<PauseRequest | undefined, Pause>;
  /** Answers with the pause that it removed. */
  remove: Mutation<PauseRef | undefined, Pause>;
};

export interface PauseRef {
  /** Absent: the jobs of all tenants. */
  tenant?: string | undefined;
  /** Absent: jobs of all kinds. The server need not have it: its jobs may be those of other programs. */
  kind?: string | undefined;
}

export interface PauseRequest extends PauseRef {
  /** The reason, for people. */
  note?: string | undefined;
}

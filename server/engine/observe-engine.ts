/** Measures the operations of an engine, by name. It wraps every engine, so that all are measured alike. */
import { AppError, type ErrorCode } from "#shared/errors.ts";
import type { CredentialStores, Engine } from "./contract.ts";

type Store =
  | Exclude<keyof CredentialStores, `${string}SignIn${string}`>
  | "audit"
  | "mirrors"
  | "pauses"
  | "presence"
  | "schedules"
  | "workers";
/** Not operations on the data, or such as only some engines have; a backup takes as long as the data is large. */
type Unmeasured =
  | "name"
  | "capabilities"
  | "connector"
  | "isAvailable"
  | "onAppend"
  | "onWork"
  | "onExpired"
  | "onCredentialEnd"
  | "backup"
  | "storage"
  | "close";

/** Records, so that a new operation that is missing here does not compile. */
const OPERATIONS: Readonly<Record<Exclude<keyof Engine, Store | Unmeasured>, true>> = {
  createJob: true,
  createBatch: true,
  usage: true,
  getJob: true,
  getSummary: true,
  listJobs: true,
  waiting: true,
  getBatch: true,
  listBatches: true,
  change: true,
  readEvents: true,
  readFeed: true,
  appendDraft: true,
  readDraft: true,
  appendLines: true,
  readLines: true,
  claim: true,
  renew: true,
  takeSession: true,
  saveSession: true,
  endSession: true,
  listUsers: true,
  addSignIn: true,
  getSignIn: true,
  hasSignIns: true,
  renewSignIn: true,
  removeSignIn: true,
  prune: true,
  assign: true,
  health: true,
};
/** Not operations on the data. */
type UnmeasuredOfStore = "onOrder";
const STORES: {
  readonly [S in Store]: Readonly<Record<Exclude<keyof Engine[S], UnmeasuredOfStore>, true>>;
} = {
  apiKeys: { create: true, find: true, list: true, revoke: true, noteUse: true },
  revocations: { revokeToken: true, revokeUser: true, find: true },
  signingKeys: { agree: true, find: true },
  shareLinks: { add: true, find: true, list: true, remove: true },
  tickets: { take: true, holders: true },
  audit: { append: true, list: true, prune: true },
  mirrors: {
    hold: true,
    release: true,
    find: true,
    bind: true,
    unbind: true,
    appendLines: true,
  },
  pauses: { set: true, remove: true, list: true },
  presence: { keep: true, read: true },
  schedules: {
    create: true,
    replace: true,
    assign: true,
    remove: true,
    get: true,
    find: true,
    list: true,
    take: true,
    release: true,
    time: true,
  },
  workers: { announce: true, count: true, list: true, get: true, order: true },
};

/** All names that an observer can receive: `change`, `apiKeys.find`. */
export const ENGINE_OPERATIONS: readonly string[] = [
  ...Object.keys(OPERATIONS),
  ...Object.entries(STORES).flatMap(([store, names]) =>
    Object.keys(names).map((name) => `${store}.${name}`),
  ),
];

/** Errors of an engine itself. All others answer the caller. */
export const ENGINE_FAILURES = [
  "UNAVAILABLE",
  "DATA_UNUSABLE",
  "INTERNAL",
] as const satisfies ErrorCode[];
export type EngineFailure = (typeof ENGINE_FAILURES)[number];

export interface EngineObserver {
  /** Called at the end of each operation, however it ended. */
  took(operation: string, seconds: number): void;
  failed(code: EngineFailure): void;
}

export function observeEngine(engine: Engine, observer: EngineObserver): Engine {
  const observed = measured(engine, OPERATIONS, { observer, prefix: "" });
  for (const store of Object.keys(STORES) as Store[]) {
    const prefix = `${store}.`;
    Object.assign(observed, {
      [store]: measured<object>(engine[store], STORES[store], { observer, prefix }),
    });
  }
  return observed;
}

type Operation = (...args: unknown[]) => Promise<unknown>;

function measured<T extends object>(
  target: T,
  names: Readonly<Record<string, true>>,
  { observer, prefix }: { observer: EngineObserver; prefix: string },
): T {
  const calls = Object.keys(names).map((name): [string, Operation] => {
    const operation = prefix + name;
    const call = (target as Record<string, Operation>)[name] as Operation;
    return [
      name,
      (...args) => {
        const begin = performance.now();
        const answer = call.apply(target, args);
        // The caller gets the engine's own promise: a step in between would change the order of what follows.
        answer.then(
          () => observer.took(operation, (performance.now() - begin) / 1000),
          (error: unknown) => {
            observer.took(operation, (performance.now() - begin) / 1000);
            const code = failureOf(error);
            if (code !== undefined) observer.failed(code);
          },
        );
        return answer;
      },
    ];
  });
  return { ...target, ...Object.fromEntries(calls) };
}

function failureOf(error: unknown): EngineFailure | undefined {
  const code = error instanceof AppError ? error.code : "INTERNAL";
  return ENGINE_FAILURES.find((each) => each === code);
}

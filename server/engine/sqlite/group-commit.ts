/**
 * Group commit: all writes that are asked for in one tick share one transaction, because the disk's flush costs
 * more than everything else of a write together. Each runs in a savepoint of its own, so one that fails rejects
 * alone. Callers are answered after the commit, and only then come the effects (hints) of what was stored.
 * When the commit fails, everything in it rejects and nothing of it is stored.
 */
import type { DatabaseSync } from "node:sqlite";
import type { AppError } from "#shared/errors.ts";
import { asAppError, unavailable } from "./errors.ts";

export interface GroupCommit {
  /** Runs `op` in the next transaction. `weight`: about how many rows it writes. */
  write<T>(op: () => T, weight?: number): Promise<T>;
  /** Only within an `op`: runs `effect` once its transaction is committed, once however often it was given. */
  afterCommit(effect: () => void): void;
  /** Why the last write could not be stored; `null` when it was. */
  failure(): AppError | null;
  /** Commits everything that waits, now. */
  flush(): void;
}

interface Waiting {
  weight: number;
  /** Runs the op, and returns what answers its caller. Throws only where the whole transaction is lost. */
  run(): () => void;
  reject(error: AppError): void;
}

/** Holds the event loop for some milliseconds at most, unless a single op is larger. */
const MAX_WEIGHT = 500;

export function createGroupCommit(db: DatabaseSync, path: string): GroupCommit {
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = db.prepare("ROLLBACK");
  const savepoint = db.prepare("SAVEPOINT op");
  const release = db.prepare("RELEASE op");
  const rollbackToSavepoint = db.prepare("ROLLBACK TO op");

  let waiting: Waiting[] = [];
  let scheduled = false;
  let effects = new Set<() => void>();
  let failure: AppError | null = null;

  function write<T>(op: () => T, weight = 1): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      waiting.push({ weight, reject, run: () => runInSavepoint(op, resolve, reject) });
      schedule();
    });
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      commitNext();
      if (waiting.length > 0) schedule();
    });
  }

  function commitNext(): void {
    let weight = 0;
    const cut = waiting.findIndex((each) => (weight += each.weight) >= MAX_WEIGHT);
    const group = cut === -1 ? waiting : waiting.slice(0, cut + 1);
    waiting = cut === -1 ? [] : waiting.slice(cut + 1);
    if (group.length > 0) commitGroup(group);
  }

  function commitGroup(group: readonly Waiting[]): void {
    const before = failure;
    effects = new Set();
    const answers: (() => void)[] = [];
    try {
      begin.run();
      for (const each of group) answers.push(each.run());
      commit.run();
    } catch (cause) {
      if (db.isTransaction) rollback.run();
      failure = unavailable(path, cause);
      for (const each of group) each.reject(failure);
      return;
    }
    if (failure === before) failure = null;
    for (const answer of answers) answer();
    for (const effect of effects) effect();
  }

  function runInSavepoint<T>(
    op: () => T,
    resolve: (value: T) => void,
    reject: (error: AppError) => void,
  ): () => void {
    const outer = effects;
    effects = new Set();
    savepoint.run();
    try {
      const value = op();
      release.run();
      for (const effect of effects) outer.add(effect);
      return () => resolve(value);
    } catch (cause) {
      // After some errors (a full disk) SQLite has rolled the whole transaction back.
      if (!db.isTransaction) throw cause;
      rollbackToSavepoint.run();
      release.run();
      const error = asAppError(cause, path);
      if (error.code === "UNAVAILABLE") failure = error;
      return () => reject(error);
    } finally {
      effects = outer;
    }
  }

  return {
    write,
    afterCommit: (effect) => void effects.add(effect),
    failure: () => failure,
    flush() {
      while (waiting.length > 0) commitNext();
    },
  };
}

/**
 * Group commit: all writes that are asked for in one tick share one transaction, because the disk's flush costs
 * more than everything else of a write together. Callers are answered after the commit, and only then come the
 * effects (hints) of what was stored. One that fails rejects alone; when the commit fails, everything in it
 * rejects and nothing of it is stored.
 *
 * A savepoint for each write would cost more than the write: SQLite copies each page that it touches into a
 * temporary file. So a group runs without them first, and when one of it fails it is rolled back and runs again
 * with them. An op may therefore run twice, and must do nothing but read and write the database.
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
  /** Runs the op, and returns what answers its caller. */
  run(): () => void;
  reject(error: AppError): void;
}

/** Holds the event loop for some milliseconds at most, unless a single op is larger. */
const MAX_WEIGHT = 500;

/** What ops have not written yet. Is written before a transaction ends, or forgotten with it. */
export interface Unwritten {
  flush(): void;
  discard(): void;
}

export function createGroupCommit(
  db: DatabaseSync,
  path: string,
  unwritten: Unwritten,
): GroupCommit {
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
    const last = waiting.findIndex((each) => (weight += each.weight) >= MAX_WEIGHT);
    const group = last === -1 ? waiting : waiting.slice(0, last + 1);
    waiting = last === -1 ? [] : waiting.slice(last + 1);
    if (group.length > 0) commitGroup(group);
  }

  function commitGroup(group: readonly Waiting[]): void {
    let answers: (() => void)[];
    try {
      answers = runPlain(group) ?? runInSavepoints(group);
      commit.run();
    } catch (cause) {
      unwritten.discard();
      failure = unavailable(path, cause);
      for (const each of group) each.reject(failure);
      if (db.isTransaction) rollback.run();
      return;
    }
    failure = null;
    for (const answer of answers) answer();
    for (const effect of effects) effect();
  }

  /** `undefined` where an op failed: then nothing is left of the transaction. */
  function runPlain(group: readonly Waiting[]): (() => void)[] | undefined {
    effects = new Set();
    begin.run();
    try {
      const answers = group.map((each) => each.run());
      unwritten.flush();
      return answers;
    } catch {
      unwritten.discard();
      // After some errors (a full disk) SQLite has rolled back by itself.
      if (db.isTransaction) rollback.run();
      return undefined;
    }
  }

  function runInSavepoints(group: readonly Waiting[]): (() => void)[] {
    const committed = new Set<() => void>();
    begin.run();
    const answers = group.map((each) => {
      effects = new Set();
      savepoint.run();
      try {
        const answer = each.run();
        unwritten.flush();
        release.run();
        for (const effect of effects) committed.add(effect);
        return answer;
      } catch (cause) {
        unwritten.discard();
        const error = asAppError(cause, path);
        // The disk's trouble is everybody's: SQLite has rolled the whole transaction back.
        if (error.code === "UNAVAILABLE") throw cause;
        rollbackToSavepoint.run();
        release.run();
        return () => each.reject(error);
      }
    });
    effects = committed;
    return answers;
  }

  return {
    write: (op, weight = 1) =>
      new Promise((resolve, reject) => {
        const run = (): (() => void) => {
          const value = op();
          return () => resolve(value);
        };
        waiting.push({ weight, reject, run });
        schedule();
      }),
    afterCommit: (effect) => void effects.add(effect),
    failure: () => failure,
    flush() {
      while (waiting.length > 0) commitNext();
    },
  };
}

/**
 * Group commit: all writes of one tick share one transaction, because the disk's flush costs more than the rest of a
 * write. Callers are answered after the commit, and then the effects (hints) of the stored writes run. A write that
 * fails rejects alone; when the commit fails, all of its writes reject and nothing of them is stored.
 *
 *              write                 next turn, or flush
 *   idle ────────────────► scheduled ───────────────────► committing ──┬── no write waits ──► idle
 *                              ▲                                       │
 *                              └─ writes wait: the group was full, ────┘
 *                                 or an op asked for a write
 *
 * A savepoint for each write would cost more than the write: SQLite copies each page that it touches into a
 * temporary file. So a group runs without savepoints first, and when one of its ops fails it is rolled back and runs
 * again with them. An op may therefore run twice, and must do nothing but read and write the database, and what
 * is in memory as `Unwritten` and `Remembered`.
 */
import type { DatabaseSync } from "node:sqlite";
import type { AppError } from "#shared/errors.ts";
import { asAppError, unavailable } from "./errors.ts";
import type { Remembered } from "./undo-log.ts";

type State =
  | { readonly mode: "idle" }
  | { readonly mode: "scheduled"; readonly turn: NodeJS.Immediate }
  /** In a transaction. `effects`: those of the ops that ran in it so far. */
  | { readonly mode: "committing"; readonly effects: Set<() => void> };

const IDLE: State = { mode: "idle" };

export interface GroupCommit {
  /** Runs `op` in the next transaction. `weight`: about how many rows it writes. */
  write<T>(op: () => T, weight?: number): Promise<T>;
  /** Runs `effect` after the commit of the current transaction, once however often it was given. Throws outside an op. */
  afterCommit(effect: () => void): void;
  /** Why the last write could not be stored; `null` when it was. */
  failure(): AppError | null;
  /** Commits all waiting writes now. Throws within an op. */
  flush(): void;
}

interface Waiting {
  weight: number;
  /** Runs the op, and returns what answers its caller. */
  run(): () => void;
  reject(error: AppError): void;
}

interface Done {
  answers: (() => void)[];
  effects: Set<() => void>;
}

/** A group of this weight holds the event loop for some milliseconds; only a single op can be heavier. */
const MAX_WEIGHT = 500;

/** Changes that ops hold back. They are written before a transaction ends, or discarded with it. */
export interface Unwritten {
  flush(): void;
  discard(): void;
}

export interface GroupOptions {
  db: DatabaseSync;
  path: string;
  unwritten: Unwritten;
  /** The state in memory that ops change. */
  remembered: Remembered;
  /** Called after each commit, with the number of writes that it stored. */
  onGroup?: ((size: number) => void) | undefined;
}

export function createGroupCommit({
  db,
  path,
  unwritten,
  remembered,
  onGroup = () => {},
}: GroupOptions): GroupCommit {
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = db.prepare("ROLLBACK");
  const savepoint = db.prepare("SAVEPOINT op");
  const release = db.prepare("RELEASE op");
  const rollbackToSavepoint = db.prepare("ROLLBACK TO op");

  let state = IDLE;
  let waiting: Waiting[] = [];
  let failure: AppError | null = null;

  function schedule(): void {
    state = { mode: "scheduled", turn: setImmediate(commitNext) };
  }

  function commitNext(): void {
    if (state.mode === "scheduled") clearImmediate(state.turn);
    let done: Done | undefined;
    try {
      done = commitGroup(nextGroup());
    } finally {
      if (waiting.length > 0) schedule();
      else state = IDLE;
    }
    if (done === undefined) return;
    for (const answer of done.answers) answer();
    for (const effect of done.effects) effect();
  }

  function nextGroup(): Waiting[] {
    let weight = 0;
    const last = waiting.findIndex((each) => (weight += each.weight) >= MAX_WEIGHT);
    const group = last === -1 ? waiting : waiting.slice(0, last + 1);
    waiting = last === -1 ? [] : waiting.slice(last + 1);
    return group;
  }

  /** `undefined` where nothing was stored: then all callers are answered. */
  function commitGroup(group: readonly Waiting[]): Done | undefined {
    try {
      const done = runPlain(group) ?? runInSavepoints(group);
      commit.run();
      remembered.committed();
      failure = null;
      onGroup(group.length);
      return done;
    } catch (cause) {
      takeBack();
      failure = unavailable(path, cause);
      for (const each of group) each.reject(failure);
      if (db.isTransaction) rollback.run();
      return undefined;
    }
  }

  function takeBack(): void {
    unwritten.discard();
    remembered.undo();
  }

  function collectEffects(): Set<() => void> {
    const effects = new Set<() => void>();
    state = { mode: "committing", effects };
    return effects;
  }

  /** `undefined` where an op failed: then the transaction was rolled back. */
  function runPlain(group: readonly Waiting[]): Done | undefined {
    const effects = collectEffects();
    begin.run();
    try {
      const answers = group.map((each) => each.run());
      unwritten.flush();
      return { answers, effects };
    } catch {
      takeBack();
      // After some errors (a full disk) SQLite has rolled back by itself.
      if (db.isTransaction) rollback.run();
      return undefined;
    }
  }

  function runInSavepoints(group: readonly Waiting[]): Done {
    const stored = new Set<() => void>();
    begin.run();
    const answers = group.map((each) => {
      const effects = collectEffects();
      savepoint.run();
      remembered.savepoint();
      try {
        const answer = each.run();
        unwritten.flush();
        release.run();
        for (const effect of effects) stored.add(effect);
        return answer;
      } catch (cause) {
        unwritten.discard();
        remembered.undoPart();
        const error = asAppError(cause, path);
        // The disk failed, and SQLite has rolled the whole transaction back.
        if (error.code === "UNAVAILABLE") throw cause;
        rollbackToSavepoint.run();
        release.run();
        return () => each.reject(error);
      }
    });
    return { answers, effects: stored };
  }

  return {
    write: (op, weight = 1) =>
      new Promise((resolve, reject) => {
        const run = (): (() => void) => {
          const value = op();
          return () => resolve(value);
        };
        waiting.push({ weight, reject, run });
        if (state.mode === "idle") schedule();
      }),
    afterCommit(effect) {
      if (state.mode !== "committing") throw new Error("afterCommit() outside of an op");
      state.effects.add(effect);
    },
    failure: () => failure,
    flush() {
      if (state.mode === "committing") throw new Error("flush() within an op");
      while (waiting.length > 0) commitNext();
    },
  };
}

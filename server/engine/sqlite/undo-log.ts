/** Takes changes of what is in memory back with the transaction that they belong to. */

/** Follows the transactions of the group commit. */
export interface Remembered {
  /** The changes from here on can be taken back without those before. */
  savepoint(): void;
  /** Takes back what was changed since the savepoint. */
  undoPart(): void;
  /** Takes back what was changed in the transaction. */
  undo(): void;
  committed(): void;
}

/** Something whose changes can be taken back. */
export interface Undoable {
  /** The part of a transaction in which it changed last. */
  part: number;
}

export interface UndoLog extends Remembered {
  /** Before a change of `target`. `remember` reads how it is, and returns what makes it so again; it is called once in each part. */
  before<T extends Undoable>(target: T, remember: (target: T) => () => void): void;
}

/** `onEnd`: called after each transaction, however it ended. */
export function createUndoLog(onEnd: () => void): UndoLog {
  let undos: (() => void)[] = [];
  let savepoint = 0;
  let part = 1;

  function undoTo(length: number): void {
    for (const undo of undos.splice(length).toReversed()) undo();
    part += 1;
  }

  function end(): void {
    undos = [];
    savepoint = 0;
    part += 1;
    onEnd();
  }

  return {
    before(target, remember) {
      if (target.part === part) return;
      target.part = part;
      undos.push(remember(target));
    },
    savepoint() {
      savepoint = undos.length;
      part += 1;
    },
    undoPart: () => undoTo(savepoint),
    undo() {
      undoTo(0);
      end();
    },
    committed: end,
  };
}

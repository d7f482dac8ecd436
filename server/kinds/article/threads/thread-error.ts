/** A task that a thread did not finish. */
export type ThreadTrouble =
  | "time"
  | "memory"
  | "crash"
  /** No thread could be started; the task is not to blame. */
  | "start"
  /** The task cannot be cloned. */
  | "refused";

/** `message` is a clause that follows "too complex to be read: ". */
export class ThreadError extends Error {
  override readonly name = "ThreadError";
  readonly trouble: ThreadTrouble;

  constructor(trouble: ThreadTrouble, message: string, cause?: unknown) {
    super(message, { cause });
    this.trouble = trouble;
  }
}

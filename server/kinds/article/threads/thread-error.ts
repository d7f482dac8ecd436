/** Reasons why a thread did not finish a task. */
export type ThreadTrouble =
  | "time"
  | "memory"
  | "crash"
  /** No thread started, so the task is not to blame. */
  | "start"
  /** Structured cloning refused the task's input. */
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

/** The thread's side of the protocol: runs one task at a time and answers each, also when the task throws. */
import { parentPort } from "node:worker_threads";
import { cutText } from "#shared/cut-text.ts";

/** Asks a thread whether it is ready. */
export const HELLO = "hello";

export interface TaskMessage {
  name: string;
  input: unknown;
  /** The processor time that the task may take, in milliseconds. */
  processorMs: number;
}

/** Structured cloning drops classes, so an error travels as its fields. */
export interface Thrown {
  name: string;
  code: string | undefined;
  message: string;
  stack: string | undefined;
}

export type ThreadAnswer =
  | { type: "ready" }
  | { type: "done"; output: unknown }
  | { type: "failed"; thrown: Thrown };

const LONGEST_MESSAGE = 1000;
const LONGEST_STACK = 5000;

/** Answers to the thread's parent. */
export function serveTasks(tasks: Readonly<Record<string, (input: never) => unknown>>): void {
  parentPort?.on("message", (message: typeof HELLO | TaskMessage) => {
    if (message === HELLO) return post({ type: "ready" });
    try {
      const task = tasks[message.name];
      if (task === undefined) throw new Error(`no task "${message.name}"`);
      post({ type: "done", output: task(message.input as never) });
    } catch (error) {
      // Also reached when the output cannot be cloned.
      post({ type: "failed", thrown: thrownOf(error) });
    }
  });
}

function post(answer: ThreadAnswer): void {
  parentPort?.postMessage(answer, []);
}

function thrownOf(error: unknown): Thrown {
  if (!(error instanceof Error)) {
    return { name: "", code: undefined, message: `a ${typeof error} was thrown`, stack: undefined };
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return {
    name: error.name,
    code,
    message: cutText(error.message, LONGEST_MESSAGE),
    stack: error.stack === undefined ? undefined : cutText(error.stack, LONGEST_STACK),
  };
}

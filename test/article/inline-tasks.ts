/** Runs tasks without threads, for tests that are not about threads. */
import type { RunTask } from "#server/kinds/article/threads/run-task.ts";
import {
  TASKS,
  type TaskInput,
  type TaskName,
  type TaskOutput,
} from "#server/kinds/article/threads/tasks.ts";

export const runInline: RunTask = async <Name extends TaskName>(
  name: Name,
  input: TaskInput<Name>,
  signal: AbortSignal,
): Promise<TaskOutput<Name>> => {
  signal.throwIfAborted();
  const task = TASKS[name] as (input: TaskInput<Name>) => TaskOutput<Name>;
  return task(input);
};

/** A page in the form that a fetch returns. */
export function fetchedHtml(url: string, html: string) {
  return {
    url,
    bytes: Uint8Array.from(Buffer.from(html)),
    contentType: "text/html; charset=utf-8",
  };
}

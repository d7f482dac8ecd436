/** Tasks without threads, for tests of what is around them. */
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

/** A page as it is fetched. */
export function fetchedHtml(url: string, html: string) {
  return {
    url,
    bytes: Uint8Array.from(Buffer.from(html)),
    contentType: "text/html; charset=utf-8",
  };
}

/** Runs the article kind's tasks in threads, and maps their failures to errors of the job. */
import { PageError, type PageErrorCode } from "#server/kinds/article/page/page-error.ts";
import { Failure, Transient } from "#server/kinds/define.ts";
import type { TaskMessage, Thrown } from "./serve-tasks.ts";
import type { TaskInput, TaskName, TaskOutput } from "./tasks.ts";
import { ThreadError } from "./thread-error.ts";
import { createThreadPool, type ThreadPoolOptions } from "./thread-pool.ts";

/** Rejects with `PageError` (`readPage` only), `Failure`, `Transient`, or the abort reason of the signal. */
export type RunTask = <Name extends TaskName>(
  name: Name,
  input: TaskInput<Name>,
  signal: AbortSignal,
  /** Shortens the limit of the task's processor time. */
  mostMs?: number,
) => Promise<TaskOutput<Name>>;

export interface RunTaskOptions extends Partial<ThreadPoolOptions> {
  /** The processor time that a task may take, in milliseconds. */
  processorMs?: number;
}

const TASK_PROCESSOR_MS = 10_000;
const PROGRAM = new URL("./article-thread.ts", import.meta.url);

/** Past participles for messages: "too complex to be …". */
const DONE_TO_ARTICLE: Record<Exclude<TaskName, "readPage">, string> = {
  compose: "composed",
  promptParts: "described to a model",
  stripCodeFence: "read",
  modelPlan: "planned",
  betterArticle: "compared with its draft",
  review: "checked",
};

/** Creates one thread pool for all jobs of the process. */
export function createRunTask(options: RunTaskOptions = {}): RunTask {
  const { processorMs = TASK_PROCESSOR_MS, ...pool } = options;
  const run = createThreadPool({ program: PROGRAM, ...pool });
  return async <Name extends TaskName>(
    name: Name,
    input: TaskInput<Name>,
    signal: AbortSignal,
    mostMs = processorMs,
  ): Promise<TaskOutput<Name>> => {
    const message: TaskMessage = { name, input, processorMs: Math.min(mostMs, processorMs) };
    const answer = await run({ message, signal }).catch((error: unknown) => {
      throw error instanceof ThreadError ? failureOf(name, error) : error;
    });
    if (answer.type === "failed") throw errorOf(name, answer.thrown);
    return answer.output as TaskOutput<Name>;
  };
}

function failureOf(name: TaskName, error: ThreadError): Error {
  const cause = { cause: error };
  if (error.trouble === "start") {
    // Short of memory or threads: a passing state of the machine, for which the page is not to blame.
    const message = "This server could not start a thread for the job and will retry it";
    return new Transient("THREAD_UNAVAILABLE", message, cause);
  }
  return name === "readPage"
    ? new PageError("PAGE_TOO_COMPLEX", `is too complex to be read: ${error.message}`, cause)
    : new Failure(
        "ARTICLE_TOO_COMPLEX",
        `The article is too complex to be ${DONE_TO_ARTICLE[name]}: ${error.message}`,
        cause,
      );
}

function errorOf(name: TaskName, thrown: Thrown): Error {
  const { name: kind, code, message, stack } = thrown;
  const cause = { cause: Object.assign(new Error(message), { stack }) };
  if (kind === "PageError") return new PageError(code as PageErrorCode, message, cause);
  if (kind === "Failure" && code !== undefined) return new Failure(code, message, cause);
  return name === "readPage"
    ? new PageError("PAGE_TOO_COMPLEX", `cannot be read: ${message}`, cause)
    : new Failure(
        "ARTICLE_TOO_COMPLEX",
        `The article cannot be ${DONE_TO_ARTICLE[name]}: ${message}`,
        cause,
      );
}

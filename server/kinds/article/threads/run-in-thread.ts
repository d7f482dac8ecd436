/** Runs one job in one thread. */
import type { ChildProcess } from "node:child_process";
import { HELLO, type ThreadAnswer } from "./serve-tasks.ts";
import { ThreadError } from "./thread-error.ts";
import { EXIT_OUT_OF_MEMORY, EXIT_OUT_OF_TIME } from "./thread-host.ts";
import type { PoolTask, ThreadPool } from "./thread-pool.ts";

export interface Job extends PoolTask {
  starts: number;
  settle: PromiseWithResolvers<Awaited<ReturnType<ThreadPool>>>;
  /** Removes the job from the queue, or ends its thread. */
  leave: () => void;
}

export type Ending =
  | { type: "answered"; answer: Awaited<ReturnType<ThreadPool>> }
  /** The thread is still busy, or dead. */
  | { type: "failed"; error: unknown }
  /** The task could not be sent; the thread is still usable. */
  | { type: "refused"; error: unknown }
  /** The thread never became ready, so the task is not to blame. */
  | { type: "unready"; cause: unknown };

/** Never rejects. */
export async function runInThread(
  host: ChildProcess,
  job: Job,
  { startMs, waitFactor }: { startMs: number; waitFactor: number },
): Promise<Ending> {
  const { message, signal } = job;
  const { processorMs } = message;
  const { promise, resolve } = Promise.withResolvers<Ending>();
  let begun = false;
  let timer = setTimeout(
    () => resolve({ type: "unready", cause: new Error(`not ready within ${startMs / 1000} s`) }),
    startMs,
  );
  const begin = (): void => {
    begun = true;
    clearTimeout(timer);
    const mostMs = processorMs * waitFactor;
    timer = setTimeout(() => resolve({ type: "failed", error: tooSlow(mostMs) }), mostMs);
    try {
      host.send(message, () => {});
    } catch (error) {
      const refused = new ThreadError("refused", "it cannot be sent to a thread", error);
      resolve({ type: "refused", error: refused });
    }
  };
  const hear = (answer: ThreadAnswer): void => {
    if (answer.type === "ready") begin();
    else resolve({ type: "answered", answer });
  };
  const end = (error: ThreadError): void =>
    resolve(begun ? { type: "failed", error } : { type: "unready", cause: error });
  const fail = (cause: unknown): void =>
    end(new ThreadError("crash", "its thread cannot be reached", cause));
  const die = (code: number | null, killedBy: NodeJS.Signals | null): void =>
    end(deathOf(code, killedBy, processorMs));
  job.leave = () => resolve({ type: "failed", error: signal.reason });
  host.on("message", hear);
  host.on("error", fail);
  host.on("exit", die);
  // A host that is gone already emits its exit, so an error of sending can be ignored.
  if (host.connected) host.send(HELLO, () => {});
  else fail(new Error("not connected"));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    job.leave = () => {};
    host.off("message", hear);
    host.off("error", fail);
    host.off("exit", die);
  }
}

function tooSlow(ms: number): ThreadError {
  return new ThreadError("time", `it takes more than ${Math.round(ms / 100) / 10} s`);
}

/** V8 aborts when a single allocation does not fit; Linux kills when the machine runs out of memory. */
function deathOf(
  code: number | null,
  killedBy: NodeJS.Signals | null,
  processorMs: number,
): ThreadError {
  if (code === EXIT_OUT_OF_TIME) return tooSlow(processorMs);
  return code === EXIT_OUT_OF_MEMORY || code === 134 || killedBy === "SIGABRT"
    ? new ThreadError("memory", "it takes too much memory")
    : new ThreadError("crash", "its thread ended in the middle", code ?? killedBy);
}

/**
 * Runs tasks in threads, a few at a time. Parsers and regular expressions are synchronous, and a page or an
 * article can be built so that they take minutes or all memory: in a thread that costs the task and its
 * thread, never the other work of the server.
 *
 * Each thread lives in a process of its own (`thread-host.ts`). V8 aborts the whole process where a single
 * allocation does not fit into a thread's heap, and a page of 2 MiB can bring that about.
 *
 * A task waits in a FIFO queue until a thread is free. The pool then says hello and waits for the thread to
 * answer that it is ready: a thread that does not start, or that died while it was idle, takes no task with
 * it. From there on the time of the task counts, and a thread that dies or stalls ends the task.
 */
import type { ChildProcess } from "node:child_process";
import { startHost } from "./start-host.ts";
import type { ThreadAnswer, TaskMessage } from "./serve-tasks.ts";
import { ThreadError } from "./thread-error.ts";
import { workOn, type Ending, type Job } from "./work-on.ts";

export interface ThreadPoolOptions {
  /** The module of the threads, which calls `serveTasks`. */
  program: URL;
  /** At most so many threads at once, idle ones included. */
  threads?: number;
  /** The JavaScript heap of each thread. */
  memoryMb?: number;
  /** How long a thread without work is kept: starting one takes longer than reading an ordinary page. */
  idleMs?: number;
  /** How long a thread may take until it is ready. */
  startMs?: number;
}

export interface PoolTask {
  message: TaskMessage;
  /** From the moment at which a thread takes the task. */
  timeoutMs: number;
  signal: AbortSignal;
}

/** Rejects with `ThreadError`, or with the reason of the signal. */
export type ThreadPool = (task: PoolTask) => Promise<Exclude<ThreadAnswer, { type: "ready" }>>;

/**
 * A page of ordinary markup at the limits of a fetch (2 MiB, 25,000 elements with attributes) is read in 3 s
 * with 256 MB, and takes three times as long with 192. Two such threads keep the memory within 600 MB, however
 * many jobs run.
 */
const THREADS = 2;
const MEMORY_MB = 256;
const IDLE_MS = 30_000;
const START_MS = 60_000;
/** A machine on which so many threads in a row do not start is not asked again for this task. */
const MOST_STARTS = 3;

export function createThreadPool(options: ThreadPoolOptions): ThreadPool {
  const {
    program,
    threads = THREADS,
    memoryMb = MEMORY_MB,
    idleMs = IDLE_MS,
    startMs = START_MS,
  } = options;
  const waiting: Job[] = [];
  const idle = new Map<ChildProcess, NodeJS.Timeout>();
  /** Threads that work, start or end. */
  let occupied = 0;

  function next(): void {
    while (waiting.length > 0 && occupied < threads) {
      const job = waiting.shift() as Job;
      occupied += 1;
      void serve(job);
    }
  }

  async function serve(job: Job): Promise<void> {
    const host = take();
    const ending = await workOn(host, job, startMs);
    const free = ending.type === "answered" || ending.type === "refused";
    if (free) keep(host);
    end(job, ending);
    // Until it is gone it holds its memory, and no other thread takes its place.
    if (!free) await gone(host);
    occupied -= 1;
    next();
  }

  /** Settles a job, or puts it back to the front of the queue. */
  function end(job: Job, ending: Ending): void {
    if (ending.type === "answered") return job.settle.resolve(ending.answer);
    if (ending.type !== "unready") return job.settle.reject(ending.error);
    if (job.signal.aborted) return job.settle.reject(job.signal.reason);
    job.starts += 1;
    if (job.starts < MOST_STARTS) return enqueue(job, "front");
    job.settle.reject(new ThreadError("start", "no thread could be started", ending.cause));
  }

  function enqueue(job: Job, place: "front" | "back"): void {
    job.leave = () => {
      waiting.splice(waiting.indexOf(job), 1);
      job.settle.reject(job.signal.reason);
    };
    if (place === "front") waiting.unshift(job);
    else waiting.push(job);
  }

  function take(): ChildProcess {
    const [kept] = idle;
    if (kept === undefined) return open();
    const [host, expiry] = kept;
    clearTimeout(expiry);
    idle.delete(host);
    host.ref();
    host.channel?.ref();
    return host;
  }

  /** An idle thread never keeps the server alive. */
  function keep(host: ChildProcess): void {
    host.unref();
    host.channel?.unref();
    const expire = async (): Promise<void> => {
      idle.delete(host);
      occupied += 1;
      await gone(host);
      occupied -= 1;
      next();
    };
    idle.set(host, setTimeout(() => void expire(), idleMs).unref());
  }

  function open(): ChildProcess {
    const host = startHost(program, memoryMb);
    // An idle thread that dies is only forgotten.
    host.on("error", () => {});
    host.once("exit", () => {
      clearTimeout(idle.get(host));
      idle.delete(host);
    });
    return host;
  }

  return async (task) => {
    task.signal.throwIfAborted();
    const job: Job = { ...task, starts: 0, settle: Promise.withResolvers(), leave: () => {} };
    const abort = (): void => job.leave();
    task.signal.addEventListener("abort", abort);
    enqueue(job, "back");
    next();
    try {
      return await job.settle.promise;
    } finally {
      task.signal.removeEventListener("abort", abort);
    }
  };
}

/** Ends a host at once, whatever it does. */
function gone(host: ChildProcess): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // One that could not be spawned has no id, and no exit.
  if (host.pid === undefined || host.exitCode !== null || host.signalCode !== null) resolve();
  else {
    host.once("exit", () => resolve());
    host.kill("SIGKILL");
  }
  return promise;
}

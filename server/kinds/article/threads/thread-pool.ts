/**
 * Runs tasks in threads, a few at a time. Parsers and regular expressions are synchronous, and hostile input can
 * make them take minutes or all memory: in a thread, that costs the task and its thread but never the server.
 *
 * Each thread lives in a process of its own (`thread-host.ts`), because V8 aborts the whole process when a single
 * allocation does not fit into a thread's heap, and a page of 2 MiB can cause that.
 *
 * A task waits in a FIFO queue for a free thread. The pool then sends a hello and waits until the thread answers that
 * it is ready, so a thread that does not start, or that died while it was idle, fails no task. From then on the
 * task's processor time counts, and a thread that dies or stalls fails the task.
 */
import type { ChildProcess } from "node:child_process";
import { startHost } from "./start-host.ts";
import type { ThreadAnswer, TaskMessage } from "./serve-tasks.ts";
import { ThreadError } from "./thread-error.ts";
import { runInThread, type Ending, type Job } from "./run-in-thread.ts";

export interface ThreadPoolOptions {
  /** Module that the threads run; it calls `serveTasks`. */
  program: URL;
  /** Most threads at once, idle ones included. */
  threads?: number;
  /** The JavaScript heap of each thread. */
  memoryMb?: number;
  /** Milliseconds for which an idle thread is kept: starting one takes longer than reading an ordinary page. */
  idleMs?: number;
  /** Milliseconds for a thread to become ready. */
  startMs?: number;
  /** A task may take this many times its processor time before it fails: threads have a low priority. */
  waitFactor?: number;
}

export interface PoolTask {
  message: TaskMessage;
  signal: AbortSignal;
}

/** Rejects with `ThreadError`, or with the abort reason of the signal. */
export type ThreadPool = (task: PoolTask) => Promise<Exclude<ThreadAnswer, { type: "ready" }>>;

/**
 * Measured: a page of ordinary markup at the limits of a fetch (2 MiB, 25,000 elements with attributes) is read in 3 s
 * with 256 MB, and takes three times as long with 192. Two such threads keep the memory below 600 MB with any number
 * of jobs.
 */
const THREADS = 2;
const MEMORY_MB = 256;
const IDLE_MS = 30_000;
const START_MS = 60_000;
const WAIT_FACTOR = 12;
/** Failed starts after which a task gives up. */
const MOST_STARTS = 3;

export function createThreadPool(options: ThreadPoolOptions): ThreadPool {
  const {
    program,
    threads = THREADS,
    memoryMb = MEMORY_MB,
    idleMs = IDLE_MS,
    startMs = START_MS,
    waitFactor = WAIT_FACTOR,
  } = options;
  const waiting: Job[] = [];
  const idle = new Map<ChildProcess, NodeJS.Timeout>();
  /** Threads that are busy, starting or ending. */
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
    const ending = await runInThread(host, job, { startMs, waitFactor });
    const free = ending.type === "answered" || ending.type === "refused";
    if (free) keep(host);
    end(job, ending);
    // The process holds its memory until it is gone, so it occupies its slot until then.
    if (!free) await gone(host);
    occupied -= 1;
    next();
  }

  /** Settles a job, or returns it to the front of the queue if its thread did not start. */
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

  /** Keeps an idle thread without keeping the event loop alive. */
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
    // An idle thread that dies is forgotten; its exit event does that.
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

/** Kills a host and resolves once it is gone. */
function gone(host: ChildProcess): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // A process that could not be spawned has no pid and emits no exit.
  if (host.pid === undefined || host.exitCode !== null || host.signalCode !== null) resolve();
  else {
    host.once("exit", () => resolve());
    host.kill("SIGKILL");
  }
  return promise;
}

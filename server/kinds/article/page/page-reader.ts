/**
 * Reads pages in threads of their own. Parsing is synchronous, and a page can be built so that it takes
 * minutes or all memory: here that costs the page and a thread, never the server's other work.
 * Threads are kept for a while, because starting one takes longer than reading an ordinary page; they never
 * keep the process alive.
 */
import { Worker } from "node:worker_threads";
import type { FetchedHtml } from "./fetch-html.ts";
import { PageError, type PageErrorCode } from "./page-error.ts";
import type { Page } from "./page.ts";

export interface ReadTask {
  address: string;
  fetched: FetchedHtml;
}

export type ReadAnswer =
  | { page: Page; error?: undefined }
  | { error: { code: PageErrorCode; message: string }; page?: undefined };

/** Rejects with `PageError`, or with the reason of `signal`. */
export type ReadPage = (task: ReadTask, signal: AbortSignal, timeoutMs: number) => Promise<Page>;

const MOST_IDLE = 2;

export interface PageReaderOptions {
  /** How long a thread without work is kept. */
  idleMs?: number;
  /** What a thread may use. */
  memoryMb?: number;
}

export function createPageReader(options: PageReaderOptions = {}): ReadPage {
  const { idleMs = 30_000, memoryMb = 384 } = options;
  const idle = new Map<Worker, NodeJS.Timeout>();

  function take(): Worker {
    const [kept] = idle;
    if (kept === undefined) return open();
    const [thread, expiry] = kept;
    clearTimeout(expiry);
    idle.delete(thread);
    thread.ref();
    return thread;
  }

  function open(): Worker {
    const thread = new Worker(new URL("./read-page-thread.ts", import.meta.url), {
      // Options of the process can be ones that a thread cannot start with.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    });
    // A thread that dies while nobody waits for it is only forgotten.
    thread.on("error", () => {});
    thread.once("exit", () => {
      clearTimeout(idle.get(thread));
      idle.delete(thread);
    });
    return thread;
  }

  async function giveBack(thread: Worker): Promise<void> {
    if (idle.size >= MOST_IDLE) {
      await thread.terminate();
      return;
    }
    thread.unref();
    const expire = (): void => {
      idle.delete(thread);
      void thread.terminate();
    };
    idle.set(thread, setTimeout(expire, idleMs).unref());
  }

  return async (task, signal, timeoutMs) => {
    signal.throwIfAborted();
    const thread = take();
    let answer: ReadAnswer;
    try {
      answer = await askThread(thread, task, signal, timeoutMs);
    } catch (error) {
      // It is still busy, or dead.
      await thread.terminate();
      throw error;
    }
    await giveBack(thread);
    if (answer.error === undefined) return answer.page;
    throw new PageError(answer.error.code, answer.error.message);
  };
}

async function askThread(
  thread: Worker,
  task: ReadTask,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<ReadAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ReadAnswer>();
  const tooComplex = (reason: string, cause?: unknown): void =>
    reject(new PageError("PAGE_TOO_COMPLEX", `is too complex to be read: ${reason}`, { cause }));
  const abort = (): void => reject(signal.reason as Error);
  const fail = (error: NodeJS.ErrnoException): void =>
    error.code === "ERR_WORKER_OUT_OF_MEMORY"
      ? tooComplex("it takes too much memory", error)
      : reject(error);
  const timer = setTimeout(() => tooComplex(`it takes more than ${timeoutMs / 1000} s`), timeoutMs);
  signal.addEventListener("abort", abort);
  thread.on("message", resolve);
  thread.on("error", fail);
  thread.postMessage(task, []);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    thread.off("message", resolve);
    thread.off("error", fail);
  }
}

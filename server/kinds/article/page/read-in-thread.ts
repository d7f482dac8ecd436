/**
 * Reads pages in a thread of their own. Parsing is synchronous, and a page can be built so that it takes
 * minutes or all memory: here that costs the page, never the server's other work.
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

const MEMORY_MB = 384;

/** Rejects with `PageError`, or with the reason of `signal`. */
export async function readInThread(
  task: ReadTask,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Page> {
  signal.throwIfAborted();
  const thread = new Worker(new URL("./read-page-thread.ts", import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  const { promise, resolve, reject } = Promise.withResolvers<Page>();
  const tooComplex = (reason: string, cause?: unknown): void =>
    reject(new PageError("PAGE_TOO_COMPLEX", `is too complex to be read: ${reason}`, { cause }));
  const abort = (): void => reject(signal.reason as Error);
  const timer = setTimeout(() => tooComplex(`it takes more than ${timeoutMs / 1000} s`), timeoutMs);
  signal.addEventListener("abort", abort);
  thread.once("message", ({ page, error }: ReadAnswer) => {
    if (error === undefined) resolve(page);
    else reject(new PageError(error.code, error.message));
  });
  thread.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ERR_WORKER_OUT_OF_MEMORY") tooComplex("it takes too much memory", error);
    else reject(error);
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    await thread.terminate();
  }
}

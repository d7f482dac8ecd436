/** The thread of `page-reader.ts`: reads one page after the other. */
import { parentPort } from "node:worker_threads";
import { PageError } from "./page-error.ts";
import type { ReadAnswer, ReadTask } from "./page-reader.ts";
import { readPage } from "./read-page.ts";

function answer({ address, fetched }: ReadTask): ReadAnswer {
  try {
    return { page: readPage(address, fetched) };
  } catch (error) {
    if (!(error instanceof PageError)) throw error;
    // Classes do not survive the way between threads.
    return { error: { code: error.code, message: error.message } };
  }
}

parentPort?.on("message", (task: ReadTask) => parentPort?.postMessage(answer(task), []));

/** The thread of `read-in-thread.ts`: reads one page, answers, and ends. */
import { parentPort, workerData } from "node:worker_threads";
import { PageError } from "./page-error.ts";
import type { ReadAnswer, ReadTask } from "./read-in-thread.ts";
import { readPage } from "./read-page.ts";

const { address, fetched } = workerData as ReadTask;

function answer(): ReadAnswer {
  try {
    return { page: readPage(address, fetched) };
  } catch (error) {
    if (!(error instanceof PageError)) throw error;
    // Classes do not survive the way between threads.
    return { error: { code: error.code, message: error.message } };
  }
}

parentPort?.postMessage(answer(), []);

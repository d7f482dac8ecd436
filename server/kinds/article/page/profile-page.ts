/** Fetches and reads the two pages of an article. Errors name the page. */
import type { RunTask } from "#server/kinds/article/threads/run-task.ts";
import { ThreadError } from "#server/kinds/article/threads/thread-error.ts";
import { fetchHtml, type FetchHtmlOptions } from "./fetch-html.ts";
import { startClock, type PageClock } from "./page-clock.ts";
import { PageError, pageFailure, type PageRole } from "./page-error.ts";
import type { Page } from "./page.ts";
import type { ReadTask } from "./read-page.ts";
import type { Semaphore } from "./semaphore.ts";

export interface ProfileOptions extends FetchHtmlOptions {
  runTask: RunTask;
  /** Bounds the pages in memory. */
  semaphore: Semaphore;
  /** A monotonic clock, in milliseconds. */
  now: () => number;
}

type Fetch = (address: string) => Promise<ReadTask>;

export function profileTarget(
  url: string,
  signal: AbortSignal,
  options: ProfileOptions,
): Promise<Page> {
  const find = (fetch: Fetch): Promise<ReadTask> => fetch(url);
  return profile({ role: "target", page: url, find }, signal, options);
}

/** Tries https first, and http where no https connection could be made. An error status is not retried over http. */
export function profilePublisher(
  domain: string,
  signal: AbortSignal,
  options: ProfileOptions,
): Promise<Page> {
  const find = async (fetch: Fetch): Promise<ReadTask> => {
    try {
      return await fetch(`https://${domain}`);
    } catch (error) {
      if (!(error instanceof PageError && error.code === "PAGE_UNREACHABLE")) throw error;
      return await fetch(`http://${domain}`);
    }
  };
  return profile({ role: "publisher", page: domain, find }, signal, options);
}

interface Wanted {
  role: PageRole;
  page: string;
  find: (fetch: Fetch) => Promise<ReadTask>;
}

async function profile(
  { role, page, find }: Wanted,
  signal: AbortSignal,
  options: ProfileOptions,
): Promise<Page> {
  try {
    return await options.semaphore(signal, async () => {
      const clock = startClock(options.limits.timeoutMs, options.now);
      const task = await find(async (address) => {
        return { address, fetched: await fetchHtml(address, signal, options, clock) };
      });
      return await read(task, signal, options.runTask, clock);
    });
  } catch (error) {
    throw error instanceof PageError ? pageFailure(role, page, error) : error;
  }
}

/** Takes at most as much processor time as is left of the page's time. Waiting for a thread costs nothing. */
async function read(
  task: ReadTask,
  signal: AbortSignal,
  runTask: RunTask,
  { totalMs, leftMs }: PageClock,
): Promise<Page> {
  const restMs = leftMs();
  try {
    return await runTask("readPage", task, signal, restMs);
  } catch (error) {
    // With more than half of the time left for it, reading is to blame; otherwise the slow server is.
    if (!isOutOfTime(error) || restMs > totalMs / 2) throw error;
    const arrival = `took ${inSeconds(totalMs - restMs)} to arrive`;
    const rest = `could not be read in what was left of its ${inSeconds(totalMs)}`;
    throw new PageError("PAGE_TIMEOUT", `${arrival}, and ${rest}`, { cause: error });
  }
}

function isOutOfTime(error: unknown): boolean {
  return (
    error instanceof PageError &&
    error.cause instanceof ThreadError &&
    error.cause.trouble === "time"
  );
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toLocaleString("en", { maximumFractionDigits: 1 })} s`;
}

/** Fetches and reads the two pages of an article; what goes wrong says which page it was. */
import type { RunTask } from "#server/kinds/article/threads/run-task.ts";
import { ThreadError } from "#server/kinds/article/threads/thread-error.ts";
import { fetchHtml, type FetchHtmlOptions } from "./fetch-html.ts";
import { startClock, type PageClock } from "./page-clock.ts";
import { PageError, pageFailure, type PageRole } from "./page-error.ts";
import type { Page } from "./page.ts";
import type { ReadTask } from "./read-page.ts";
import type { Turnstile } from "./turnstile.ts";

export interface ProfileOptions extends FetchHtmlOptions {
  runTask: RunTask;
  /** Passes as many pages at once as may be in memory. */
  turnstile: Turnstile;
  /** Milliseconds, of a clock that only goes forward. */
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

/** Asks over https first; over http where no https connection could be made. A status is an answer. */
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
    return await options.turnstile(signal, async () => {
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

/** In what is left of the page's time, which goes on once a thread has taken it. */
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
    // A page is not too complex because its server was slow.
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

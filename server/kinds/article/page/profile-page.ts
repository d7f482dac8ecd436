/** Fetches and reads the two pages of an article; what goes wrong says which page it was. */
import { fetchHtml, type FetchHtmlOptions } from "./fetch-html.ts";
import { PageError, pageFailure, type PageRole } from "./page-error.ts";
import type { Page } from "./page.ts";
import type { RunTask } from "#server/kinds/article/threads/run-task.ts";
import type { Turnstile } from "./turnstile.ts";

export interface ProfileOptions extends FetchHtmlOptions {
  runTask: RunTask;
  /** Passes as many pages at once as may be in memory. */
  turnstile: Turnstile;
}

export function profileTarget(
  url: string,
  signal: AbortSignal,
  options: ProfileOptions,
): Promise<Page> {
  return withRole("target", url, () => fetchAndRead(url, signal, options));
}

/** Asks over https first; over http where no https connection could be made. A status is an answer. */
export function profilePublisher(
  domain: string,
  signal: AbortSignal,
  options: ProfileOptions,
): Promise<Page> {
  return withRole("publisher", domain, async () => {
    try {
      return await fetchAndRead(`https://${domain}`, signal, options);
    } catch (error) {
      if (!(error instanceof PageError && error.code === "PAGE_UNREACHABLE")) throw error;
      return await fetchAndRead(`http://${domain}`, signal, options);
    }
  });
}

async function fetchAndRead(
  address: string,
  signal: AbortSignal,
  options: ProfileOptions,
): Promise<Page> {
  return await options.turnstile(signal, async () => {
    const fetched = await fetchHtml(address, signal, options);
    return await options.runTask("readPage", { address, fetched }, signal);
  });
}

async function withRole(role: PageRole, page: string, work: () => Promise<Page>): Promise<Page> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof PageError ? pageFailure(role, page, error) : error;
  }
}

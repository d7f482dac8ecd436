/**
 * Fetches the bytes of one HTML page within limits: redirects, time, bytes, and no private address.
 * Each address on the way is checked by itself, and each page has connections of its own, so that no
 * connection which one address was allowed to open is ever used for another.
 */
import { Agent, fetch, type Response } from "undici";
import { retryAfterMs } from "#server/kinds/article/retry-after.ts";
import { cutText } from "#shared/cut-text.ts";
import { createConnector, type Resolve } from "./address-guard.ts";
import type { AllowList } from "./allow-list.ts";
import type { PageClock } from "./page-clock.ts";
import { networkError, PageError, statusError } from "./page-error.ts";
import { MOST_HEADER_BYTES } from "./page-limits.ts";
import { pageAddress, redirectAddress } from "./page-address.ts";

export interface FetchLimits {
  redirects: number;
  /** For the whole page: every address that is tried, redirects, and reading it. */
  timeoutMs: number;
  /** After decompression. */
  bytes: number;
}

export const FETCH_LIMITS: FetchLimits = {
  redirects: 5,
  timeoutMs: 10_000,
  bytes: 2 * 1024 * 1024,
};

export interface FetchHtmlOptions {
  allow: AllowList;
  resolve: Resolve;
  limits: FetchLimits;
}

/** Not decoded: what is done with foreign text is done in a thread. */
export interface FetchedHtml {
  /** Where redirects led. */
  url: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** The header; empty where there is none. */
  contentType: string;
}

const HEADERS = {
  accept: "text/html,application/xhtml+xml;q=0.9",
  "user-agent": "Jobwire/0.1 (reads one page to profile it)",
};
const HTML_TYPE = /^(?:text\/html|application\/xhtml\+xml)\b/i;
/** Where a server sends a header twice, this stands between the two. */
const BETWEEN_TWO = ", ";
/** The longest `content-type` and `retry-after` that mean anything. */
const LONGEST_HEADER = 200;

/** Takes what is left of `clock` at most. Rejects with `PageError`, or with the reason of `signal`. */
export async function fetchHtml(
  address: string,
  signal: AbortSignal,
  options: FetchHtmlOptions,
  clock: PageClock,
): Promise<FetchedHtml> {
  const { limits } = options;
  const timeout = AbortSignal.timeout(clock.leftMs());
  const agents = {
    guarded: openAgent(options, true),
    // The allow list may name addresses that the guard refuses.
    listed: openAgent(options, false),
  };
  const request = {
    headers: HEADERS,
    redirect: "manual",
    signal: AbortSignal.any([signal, timeout]),
  } as const;
  let answered = false;
  try {
    let url = pageAddress(address);
    for (let hops = 0; hops <= limits.redirects; hops++) {
      const dispatcher = options.allow(url) ? agents.listed : agents.guarded;
      const response = await fetch(url, { ...request, dispatcher });
      answered = true;
      const location = redirectOf(response);
      if (location === undefined)
        return { url: url.href, ...(await readHtml(response, limits.bytes)) };
      await response.body?.cancel();
      url = redirectAddress(location, url);
    }
    throw new PageError("PAGE_TOO_MANY_REDIRECTS", `redirects more than ${limits.redirects} times`);
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) {
      throw new PageError("PAGE_TIMEOUT", `did not answer within ${clock.totalMs / 1000} s`);
    }
    throw error instanceof PageError ? error : networkError(error, answered);
  } finally {
    await Promise.all([agents.guarded.destroy(), agents.listed.destroy()]);
  }
}

function openAgent(options: FetchHtmlOptions, guarded: boolean): Agent {
  const { resolve, limits } = options;
  // Connecting has half of the time, so that a publisher without https can still be asked over http.
  return new Agent({
    maxHeaderSize: MOST_HEADER_BYTES,
    connect: createConnector({ resolve, guarded, timeoutMs: limits.timeoutMs / 2 }),
  });
}

/** An empty one leads nowhere, and the same one twice is one, as in browsers. */
function redirectOf(response: Response): string | undefined {
  if (![301, 302, 303, 307, 308].includes(response.status)) return undefined;
  const location = response.headers.get("location") ?? "";
  const half = (location.length - BETWEEN_TWO.length) / 2;
  const first = location.slice(0, half);
  return (location === first + BETWEEN_TWO + first ? first : location) || undefined;
}

async function readHtml(response: Response, limit: number): Promise<Omit<FetchedHtml, "url">> {
  if (!response.ok) {
    await response.body?.cancel();
    throw statusError(
      response.status,
      retryAfterMs(headerOf(response, "retry-after"), headerOf(response, "date")),
    );
  }
  const contentType = headerOf(response, "content-type");
  if (contentType !== "" && !HTML_TYPE.test(contentType)) {
    await response.body?.cancel();
    throw new PageError("PAGE_NOT_HTML", `is no HTML page but ${contentType}`);
  }
  return { bytes: await readBytes(response, limit), contentType };
}

function headerOf(response: Response, name: string): string {
  return cutText(response.headers.get(name) ?? "", LONGEST_HEADER);
}

async function readBytes(response: Response, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) {
      throw new PageError("PAGE_TOO_LARGE", `is larger than ${limit / 1024} KiB`);
    }
    chunks.push(chunk);
  }
  // Memory of its own: what `Buffer` takes from its pool cannot move into a thread.
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/**
 * Fetches the bytes of one HTML page within limits: redirects, time, bytes, and no private address.
 * Each address of a redirect chain is checked by itself. Each page has its own connections, so that a connection
 * that the allow list permitted is never reused for an address that it does not permit.
 */
import { Agent, fetch, type Response } from "undici";
import { retryAfterMs } from "#server/kinds/article/retry-after.ts";
import { cutText } from "#shared/cut-text.ts";
import { createConnector } from "./address-guard.ts";
import type { FetchLimits } from "./fetch-limits.ts";
import type { Resolve } from "./resolve.ts";
import type { AllowList } from "./allow-list.ts";
import type { PageClock } from "./page-clock.ts";
import { networkError, PageError, statusError } from "./page-error.ts";
import { MOST_HEADER_BYTES } from "./page-limits.ts";
import { pageAddress, redirectAddress } from "./page-address.ts";

export interface FetchHtmlOptions {
  allow: AllowList;
  resolve: Resolve;
  limits: FetchLimits;
}

/** Not decoded yet: foreign text is processed in a thread. */
export interface FetchedHtml {
  /** The address after redirects. */
  url: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** The header's value; empty without a header. */
  contentType: string;
}

const HEADERS = {
  accept: "text/html,application/xhtml+xml;q=0.9",
  "user-agent": "Jobwire/0.1 (reads one page to profile it)",
};
const HTML_TYPE = /^(?:text\/html|application\/xhtml\+xml)\b/i;
/** Separates the values of a header that a server sends twice. */
const BETWEEN_TWO = ", ";
/** Longest `content-type` and `retry-after` that are taken seriously. */
const LONGEST_HEADER = 200;

/** Takes at most the rest of `clock`. Rejects with `PageError`, or with the reason of `signal`. */
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
    // The allow list may permit addresses that the guard refuses.
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
  // Connecting gets half of the time, so that a publisher without https can still be tried over http.
  return new Agent({
    maxHeaderSize: MOST_HEADER_BYTES,
    connect: createConnector({ resolve, guarded, timeoutMs: limits.timeoutMs / 2 }),
  });
}

/** As in browsers, an empty location is no redirect, and a location that is sent twice counts once. */
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
    throw new PageError("PAGE_NOT_HTML", `is not an HTML page but ${contentType}`);
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
  // Not from `Buffer`'s pool: pooled memory cannot be transferred to a thread.
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** Parses the addresses of pages, from jobs and from redirects. */
import { PageError } from "./page-error.ts";
import { LONGEST_REDIRECT } from "./page-limits.ts";

/** Throws `PageError` for anything but the address of a web page. */
export function pageAddress(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !isWeb(url)) {
    throw new PageError("PAGE_BAD_ADDRESS", `is not an http or https address: ${address}`);
  }
  return withoutUser(url);
}

/**
 * `location`: the header, one character for each byte. Throws `PageError` for anything but the address of a web page,
 * and for a too long one. As in browsers, bytes beyond ASCII are percent-encoded unchanged: UTF-8 in a path gives the
 * same address as if the server had encoded it, UTF-8 in a host becomes Punycode, and bytes in any other charset reach
 * the server that sent them unchanged.
 *
 * https://github.com/web-platform-tests/wpt/blob/master/fetch/api/redirect/redirect-location-escape.tentative.any.js
 */
export function redirectAddress(location: string, base: URL): URL {
  const escaped = location.replaceAll(/[\x80-\xff]/g, (byte) => `%${hex(byte)}`);
  const url = URL.canParse(escaped, base) ? new URL(escaped, base) : undefined;
  if (location.length > LONGEST_REDIRECT || (url?.href.length ?? 0) > LONGEST_REDIRECT) {
    const reason = `redirects to an address of more than ${LONGEST_REDIRECT} characters`;
    throw new PageError("PAGE_BAD_ADDRESS", reason);
  }
  if (url === undefined || !isWeb(url)) {
    throw new PageError(
      "PAGE_BAD_ADDRESS",
      `redirects to an address that is not a web page: ${escaped}`,
    );
  }
  return withoutUser(url);
}

function hex(byte: string): string {
  return byte.charCodeAt(0).toString(16).toUpperCase();
}

function isWeb(url: URL): boolean {
  return /^https?:$/.test(url.protocol);
}

function withoutUser(url: URL): URL {
  if (url.username === "" && url.password === "") return url;
  throw new PageError("PAGE_BAD_ADDRESS", "has a user name or password in its address");
}

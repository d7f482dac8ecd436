/** Addresses of pages: as jobs give them, and as redirects do. */
import { PageError } from "./page-error.ts";
import { LONGEST_REDIRECT } from "./page-limits.ts";

/** Throws `PageError` where it is no address of a web page. */
export function pageAddress(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !isWeb(url)) {
    throw new PageError("PAGE_BAD_ADDRESS", `is no http or https address: ${address}`);
  }
  return withoutUser(url);
}

/**
 * `location`: the header, a character for each byte. Throws `PageError` where it is no address of a web page, or too long.
 * Bytes beyond ASCII stay what they are, percent-encoded, as in browsers: UTF-8 in a path is then as if it had been
 * encoded, UTF-8 in a host becomes Punycode, and bytes of any other charset reach the server that sent them unchanged.
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
    throw new PageError("PAGE_BAD_ADDRESS", `redirects to what is no web page: ${escaped}`);
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

/** The path, below the base path of the page, to which a person returns after signing in. It is in an address that any page can make a person open. */

/** In UTF-16 units, after encoding. The path travels in a cookie, which browsers limit to 4,096 bytes. */
export const MAX_RETURN_CHARS = 512;

/** Only its path matters. */
const BASE = "https://page.invalid";
/** Browsers read a backslash as a slash, and skip control characters. */
const MISREAD = /[\\\0-\x20\x7f]/;

/** Returns the path as browsers send it, or `undefined` if it leads anywhere else than to our page. */
export function returnPathOf(text: string): string | undefined {
  if (!text.startsWith("/") || MISREAD.test(text)) return undefined;
  const url = URL.parse(text, BASE);
  if (url === null || url.origin !== BASE) return undefined;
  const path = `${url.pathname}${url.search}${url.hash}`;
  // Resolving dots may leave two slashes, which begin an address of another host.
  if (path.startsWith("//") || path.length > MAX_RETURN_CHARS) return undefined;
  return /^\/auth(?:\/|$)/.test(url.pathname) ? undefined : path;
}

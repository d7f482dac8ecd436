/** The path below which a server is reached, such as `/jobs`; empty: the root of its host. */

/** One segment or more, of what needs no encoding. */
const PATH = /^(?:\/[\w.~-]+)+$/;

/**
 * Returns the path without a slash at its end, or `undefined` if it cannot be a base: it must begin with a slash, and its
 * segments have only letters, digits and `-._~`.
 */
export function basePathOf(text: string): string | undefined {
  let end = text.length;
  while (text[end - 1] === "/") end -= 1;
  const path = text.slice(0, end);
  if (path === "") return "";
  return PATH.test(path) && !/\/\.{1,2}(?:\/|$)/.test(path) ? path : undefined;
}

/** Returns the address as it is below the base: `/trpc/job.get?x` for `/jobs/trpc/job.get?x`. `undefined`: it is not below it. */
export function withoutBase(url: string | undefined, base: string): string | undefined {
  if (url === undefined || base === "") return url;
  if (!url.startsWith(base)) return undefined;
  const rest = url.slice(base.length);
  if (rest === "" || rest.startsWith("?")) return `/${rest}`;
  return rest.startsWith("/") ? rest : undefined;
}

/** True for `/jobs` and `/jobs/x` below `/jobs`, and for all paths below "". */
export function isBelow(path: string, base: string): boolean {
  return `${path}/`.startsWith(`${base}/`);
}

/**
 * Where the page lives: at the root of its origin, or below a prefix such as `/jobs-ui`. The server writes it into the
 * `<base>` element of index.html. Paths in the rest of the page begin at the base: `/jobs/new`.
 */
const { origin, pathname } = new URL(document.baseURI);

/** Empty, or a path without a final slash: `/jobs-ui`. */
export const basePath = pathname.slice(0, pathname.lastIndexOf("/"));
/** The server's address, without a final slash: `https://example.com/jobs-ui`. */
export const baseUrl = origin + basePath;

/** The address of a path that is not a page's own: a request, a file, a link to pass on. */
export function addressOf(path: string): string {
  return baseUrl + path;
}

/** The path of the window's address, from the base on. */
export function pathNow(): string {
  return location.pathname.slice(basePath.length) || "/";
}

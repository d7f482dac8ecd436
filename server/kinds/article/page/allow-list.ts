/**
 * Addresses that may be fetched although they are private: `host`, `host:port` or `host:port/path-prefix/`.
 * Hosts and paths are compared after URL normalisation, so that neither `..` nor encodings lead out of a prefix.
 */
export type AllowList = (url: URL) => boolean;

interface Entry {
  hostname: string;
  /** Empty: every port. */
  port: string;
  path: string;
}

/** Throws a `TypeError` that names the entry where one cannot be read. */
export function createAllowList(entries: readonly string[]): AllowList {
  const allowed = entries.map(parseEntry);
  return (url) => allowed.some((entry) => matches(entry, url));
}

function parseEntry(text: string): Entry {
  const url = URL.canParse(`http://${text}`) ? new URL(`http://${text}`) : undefined;
  if (url === undefined || url.username !== "" || url.search !== "" || url.hash !== "") {
    throw new TypeError(
      `"${text}" is no host, host:port or host:port/path/: give entries such as localhost:8000/samples/`,
    );
  }
  // `URL` drops the port 80 that was written out.
  const port = url.port === "" && /^[^/]*:80(?:\/|$)/.test(text) ? "80" : url.port;
  return { hostname: url.hostname, port, path: decoded(url.pathname) ?? "/" };
}

function matches(entry: Entry, url: URL): boolean {
  if (url.hostname !== entry.hostname) return false;
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  if (entry.port !== "" && port !== entry.port) return false;
  return within(entry.path, url.pathname);
}

/** `/samples` holds itself and what is below it, not `/samples-of-others`. */
function within(prefix: string, pathname: string): boolean {
  const path = decoded(pathname);
  if (path === undefined) return false;
  const folder = prefix.endsWith("/") ? prefix : `${prefix}/`;
  return path === prefix || path.startsWith(folder);
}

/**
 * The path as a server may see it after decoding it, however often; `undefined` where that would climb out
 * of a folder or cannot be decoded.
 */
function decoded(pathname: string): string | undefined {
  let path = pathname;
  for (let round = 0; round < 5; round++) {
    if (/(?:^|[/\\])\.\.?(?:[/\\]|$)/.test(path) || path.includes("\\")) return undefined;
    let next: string;
    try {
      next = decodeURIComponent(path);
    } catch {
      return undefined;
    }
    if (next === path) return path;
    path = next;
  }
  return undefined;
}

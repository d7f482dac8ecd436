/**
 * Addresses that may be fetched although they are private: `host`, `host:port` or `host:port/path-prefix/`.
 * Hosts and paths are compared after URL normalisation, so that neither `..` nor encodings lead out of a prefix.
 */
import { cutText } from "#shared/cut-text.ts";

export type AllowList = (url: URL) => boolean;

interface Entry {
  hostname: string;
  /** An empty port matches every port. */
  port: string;
  /** Decoded path segments; the last one is empty for "everything below the folder". `[""]` matches every path. */
  segments: string[];
}

/** A name in any script, or an address; then an optional port and path. */
const ENTRY = /^(?:(?:[\w.-]|[^\0-\x7f])+|\[[0-9a-f:.]+\])(?<port>:\d{1,5})?(?<path>\/\S*)?$/i;

const LONGEST_SHOWN = 80;

/** Throws a `TypeError` that names the entry where one is invalid, or could lead out of its path. */
export function createAllowList(entries: readonly string[]): AllowList {
  const allowed = entries.map(parseEntry);
  return (url) => allowed.some((entry) => matches(entry, url));
}

function parseEntry(text: string): Entry {
  const { port, path } = ENTRY.exec(text)?.groups ?? {};
  const url = URL.canParse(`http://${text}`) ? new URL(`http://${text}`) : undefined;
  if (!ENTRY.test(text) || url === undefined || url.search !== "" || url.hash !== "") {
    throw new TypeError(
      `${shown(text)} is not a host, host:port or host:port/path/: give entries such as localhost:8000/samples/`,
    );
  }
  // The path as written: `URL` has already resolved its dots, to a folder above or to the whole host.
  const segments = segmentsOf(path ?? "/");
  if (segments === undefined) {
    throw new TypeError(
      `${shown(text)} has a path that may lead to a folder above it: write it without ".", "..", "\\" and broken % signs`,
    );
  }
  // `URL` drops an explicit port 80.
  return { hostname: url.hostname, port: port === ":80" ? "80" : url.port, segments };
}

/** Keeps user names and passwords out of logs. */
function shown(entry: string): string {
  return JSON.stringify(cutText(entry.replace(/^.*@/s, "…@"), LONGEST_SHOWN));
}

function matches(entry: Entry, url: URL): boolean {
  if (url.hostname !== entry.hostname) return false;
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  if (entry.port !== "" && port !== entry.port) return false;
  return within(entry.segments, url.pathname);
}

/** `/samples` matches itself and everything below it, but not `/samples-of-others`. */
function within(prefix: readonly string[], pathname: string): boolean {
  const isFolder = prefix.at(-1) === "";
  const folder = isFolder ? prefix.slice(0, -1) : prefix;
  // No path leads out of the whole host.
  if (folder.length === 0) return true;
  const path = segmentsOf(pathname);
  if (path === undefined || (isFolder && path.length === folder.length)) return false;
  return folder.every((segment, at) => segment === path[at]);
}

/**
 * The decoded segments of a path, even where they were encoded several times; `undefined` where a server might climb
 * out of a folder, or where the path cannot be decoded. An encoded slash does not separate segments: servers disagree
 * on its meaning.
 */
function segmentsOf(path: string): string[] | undefined {
  const segments = path.slice(1).split("/").map(decoded);
  return segments.some((segment) => segment === undefined || climbs(segment))
    ? undefined
    : (segments as string[]);
}

const MOST_ROUNDS = 5;

function decoded(segment: string): string | undefined {
  let text = segment;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let next: string;
    try {
      next = decodeURIComponent(text);
    } catch {
      return undefined;
    }
    if (next === text) return text;
    text = next;
  }
  return undefined;
}

/**
 * True for segments that a server may take for `.` or `..`. Java's servers drop `;` and everything after it (`..;a=b`),
 * Windows drops spaces and dots at the end, C stops at NUL, and some servers fold full-width signs to ASCII.
 */
function climbs(segment: string): boolean {
  const folded = segment.normalize("NFKC");
  if (folded.includes("\\")) return true;
  return folded.split("/").some((part) => /^[\s\p{Cc}]*\.[\s.\p{Cc}]*(?:[;\0]|$)/u.test(part));
}

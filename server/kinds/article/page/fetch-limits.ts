/** Limits of one page. Apart from the fetching, which loads undici: settings are read when the program starts. */
export interface FetchLimits {
  redirects: number;
  /** For the whole page: all addresses that are tried, redirects, and reading. */
  timeoutMs: number;
  /** After decompression. */
  bytes: number;
}

export const FETCH_LIMITS: FetchLimits = {
  redirects: 5,
  timeoutMs: 10_000,
  bytes: 2 * 1024 * 1024,
};

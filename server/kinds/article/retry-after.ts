/**
 * Parses a `Retry-After` header, which holds seconds or a date. `sentAt`: the response's `Date` header. The date is
 * compared with `sentAt` and not with this machine's clock, which may differ from the server's.
 */
export function retryAfterMs(
  header: string | null | undefined,
  sentAt: string | null | undefined,
): number | undefined {
  if (header === null || header === undefined || header.trim() === "") return undefined;
  const value = header.trim();
  if (/^\d+(?:\.\d+)?$/.test(value)) return Math.round(Number(value) * 1000);
  const date = Date.parse(value);
  if (Number.isNaN(date)) return undefined;
  const sent = Date.parse(sentAt ?? "");
  return Math.max(0, date - (Number.isNaN(sent) ? Date.now() : sent));
}

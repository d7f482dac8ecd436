/** Page cursors: the row number of the last item. Row numbers only grow, so new rows never move a page. */
import { cutText } from "#shared/cut-text.ts";
import { AppError } from "#shared/errors.ts";

/** The row number below which the page begins. `first`: the lowest row number. */
export function pageBefore(cursor: string | undefined, first = 1): number {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER;
  if (!/^-?[1-9]\d{0,14}$/.test(cursor) || Number(cursor) < first) {
    throw new AppError(
      "BAD_REQUEST",
      `"${cutText(cursor, 40)}" is no cursor of a page. Use the nextCursor of the page before, or none for the first.`,
    );
  }
  return Number(cursor);
}

/** Splits rows of a query that asked for one more than `limit`. */
export function pageOf<Row extends { n: number }>(
  rows: readonly Row[],
  limit: number,
): { rows: readonly Row[]; nextCursor: string | null } {
  if (rows.length <= limit) return { rows, nextCursor: null };
  const page = rows.slice(0, limit);
  return { rows: page, nextCursor: String(page.at(-1)?.n) };
}

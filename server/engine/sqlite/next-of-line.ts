/** The ready jobs of a line, one after the other: by their rank, and by their number where it is the same. */
import type { DatabaseSync } from "node:sqlite";
import type { Line, Rank } from "./queue-lines.ts";

/** Before every job of a line. */
const FIRST: Rank = { rank: Number.MIN_SAFE_INTEGER, n: 0 };

/** The returned function finds the ready job of a line that follows the one that was taken last. There is one. */
export function createNextOf(db: DatabaseSync): (line: Line) => Rank {
  const ofLine = "due = 0 AND tenant_n = ? AND kind = ? AND key IS ?";
  // Two statements, as SQLite uses the index for a comparison of (rank, n) no further than for rank alone.
  const sameRank = db.prepare(
    `SELECT rank, n FROM jobs WHERE ${ofLine} AND rank = ? AND n > ? ORDER BY n LIMIT 1`,
  );
  const laterRank = db.prepare(
    `SELECT rank, n FROM jobs WHERE ${ofLine} AND rank > ? ORDER BY rank, n LIMIT 1`,
  );
  for (const each of [sameRank, laterRank]) each.setReturnArrays(true);

  return ({ group: { tenant, kind }, key, taken }) => {
    const line = [tenant.n, kind.name, key] as const;
    const { rank: after, n } = taken ?? FIRST;
    const same = taken === undefined ? undefined : sameRank.get(...line, after, n);
    const found = same ?? laterRank.get(...line, after);
    const [first, of] = found as unknown as [number, number];
    return { rank: first, n: of };
  };
}

/** The entries of a feed: each is a job that changed, as it is now. */
import type { JobSummary } from "./job.ts";

export interface FeedEntry {
  /** The cursor on every transport. */
  rev: number;
  /** `null` only with `gap`, when the owner has no jobs left. */
  job: JobSummary | null;
  /** The feed no longer reaches back to the cursor: the client must read the list again. */
  gap?: true | undefined;
}

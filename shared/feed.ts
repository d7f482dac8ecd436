/** The entries of a feed: each is a job that changed, as it is now. */
import { z } from "zod";
import { JobSummary } from "./job.ts";

export const FeedEntry = z.object({
  /** The cursor on every transport. */
  rev: z.int().min(0),
  /** `null` only with `gap`, when the owner has no jobs left. */
  job: JobSummary.nullable(),
  /** The feed no longer reaches back to the cursor: the client must read the list again. */
  gap: z.literal(true).optional(),
});
export type FeedEntry = z.infer<typeof FeedEntry>;

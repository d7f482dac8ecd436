/** What watchers of a feed are shown: a job of theirs changed, and this is how it is now. */
import { z } from "zod";
import { JobSummary } from "./job.ts";

export const FeedEntry = z.object({
  /** The cursor on every transport. */
  rev: z.int().min(0),
  /** `null` only with `gap`, where nothing is left of what was known. */
  job: JobSummary.nullable(),
  /** The cursor could not be served: what is known may be wrong, read the list again. */
  gap: z.literal(true).optional(),
});
export type FeedEntry = z.infer<typeof FeedEntry>;

/** The inputs of procedures. */
import { z } from "zod";
import { MAX_BATCH_JOBS } from "#shared/batch.ts";
import { CursorSchema } from "#shared/cursor.schema.ts";
import { ILL_FORMED, isWellFormed } from "#shared/cut-text.ts";
import { INTERNAL_KEY } from "#shared/internal-key.ts";
import type { JobFilter as Filter } from "#shared/job-filter.ts";
import { JobStatusSchema } from "#shared/job.schema.ts";
import {
  MAX_BATCH_NAME_CHARS,
  MAX_KEY_CHARS,
  MAX_KIND_CHARS,
  MAX_NOTE_CHARS,
  MAX_PAGE_CURSOR_CHARS,
  MAX_PAGE_ITEMS,
  MAX_PRINCIPAL_CHARS,
} from "#shared/limits.ts";
import { schemaFor } from "#shared/schema-for.ts";

export const JobId = z.object({ jobId: z.uuid() });
export const BatchId = z.object({ batchId: z.uuid() });
/** A share link. Absent: all of the job or batch. */
export const LinkId = z.object({ linkId: z.uuid().optional() });
/** Refuses lone surrogates: JSON can carry them, but engines cannot store them. */
export const Text = z.string().refine(isWellFormed, `It ${ILL_FORMED}.`);
export const Note = z.object({ note: Text.trim().max(MAX_NOTE_CHARS).optional() });
export const Page = z.object({
  cursor: z.string().max(MAX_PAGE_CURSOR_CHARS).nullish(),
  limit: z.int().min(1).max(MAX_PAGE_ITEMS).default(50),
});
export const Resume = z.object({
  /** The id of the newest event that the client has. Absent: the current state first. "0": everything. */
  lastEventId: CursorSchema.nullish(),
});
/** Selects jobs or batches by owner: by default the caller's own. Those of others need the scope `tenant`. */
export const Owners = z.object({
  owner: Text.min(1).max(MAX_PRINCIPAL_CHARS).optional(),
  allOwners: z.boolean().optional(),
});
export const oneOfOwners = z.refine<z.infer<typeof Owners>>(
  ({ owner, allOwners }) => owner === undefined || allOwners !== true,
  { path: ["owner"], message: "Send either owner or allOwners." },
);
export const Follow = z.object({ follow: z.boolean().default(false) });
const CallersKey = Text.min(1)
  .max(MAX_KEY_CHARS)
  .refine(
    (key) => !key.startsWith(INTERNAL_KEY),
    "It begins with U+0001, as keys of the server do.",
  );
export const Key = CallersKey.optional();
/** A job of a kind that is known otherwise. */
export const InputOnly = z.object({ input: z.unknown() });
export const JobRequest = InputOnly.extend({ kind: z.string().min(1).max(MAX_KIND_CHARS) });
export const JobFilter = schemaFor<Filter>()(
  z.object({
    status: JobStatusSchema.optional(),
    kind: Text.max(MAX_KIND_CHARS).optional(),
    batchId: z.uuid().optional(),
  }),
);

/** The jobs of a batch. */
export const jobsOf = <Row extends z.ZodType>(row: Row) =>
  z.object({
    name: Text.trim().min(1).max(MAX_BATCH_NAME_CHARS).optional(),
    // Checks the length first: a list as long as the largest body would give millions of issues.
    jobs: z
      .custom<z.input<Row>[]>(
        (jobs) => Array.isArray(jobs) && jobs.length <= MAX_BATCH_JOBS,
        `must be a list of at most ${MAX_BATCH_JOBS} jobs`,
      )
      .pipe(z.array(row).min(1)),
    idempotencyKey: Key,
  });

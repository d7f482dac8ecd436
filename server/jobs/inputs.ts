/** The inputs of procedures. */
import { z } from "zod";
import { AuditActionSchema } from "#shared/audit.schema.ts";
import { MAX_BATCH_JOBS } from "#shared/batch.ts";
import { CursorSchema } from "#shared/cursor.schema.ts";
import { ILL_FORMED, isWellFormed } from "#shared/cut-text.ts";
import { INTERNAL_KEY } from "#shared/internal-key.ts";
import type { JobFilter as Filter } from "#shared/job-filter.ts";
import { JobStatusSchema } from "#shared/job.schema.ts";
import {
  MAX_BATCH_NAME_CHARS,
  MAX_DEBOUNCE_KEY_CHARS,
  MAX_DEVICE_CHARS,
  MAX_JOB_ATTEMPTS,
  MAX_KEY_CHARS,
  MAX_KIND_CHARS,
  MAX_LOG_LINES,
  MAX_NOTE_CHARS,
  MAX_PAGE_CURSOR_CHARS,
  MAX_PAGE_EVENTS,
  MAX_PAGE_ITEMS,
  MAX_PAGE_WORKERS,
  MAX_PAUSE_NOTE_CHARS,
  MAX_PRINCIPAL_CHARS,
  MAX_PRIORITY,
  MAX_START_DELAY_MS,
  MAX_WORKER_ID_CHARS,
} from "#shared/limits.ts";
import { schemaFor } from "#shared/schema-for.ts";
import { TimeSchema } from "#shared/time.schema.ts";

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
const Span = z.int().min(1).max(MAX_START_DELAY_MS);

/** Of the jobs of a schedule. */
export const StandingOptions = z.object({
  priority: z.int().min(0).max(MAX_PRIORITY).optional(),
  expiresInMs: Span.optional(),
  maxAttempts: z.int().min(1).max(MAX_JOB_ATTEMPTS).optional(),
});

/** Of a whole batch. */
export const QueueOptions = StandingOptions.extend({
  delayMs: z.int().min(0).max(MAX_START_DELAY_MS).optional(),
  runAt: TimeSchema.optional(),
});

const Debounce = z
  .object({
    key: Text.min(1).max(MAX_DEBOUNCE_KEY_CHARS),
    windowMs: Span,
    maxWaitMs: Span.optional(),
  })
  .refine(({ windowMs, maxWaitMs = windowMs }) => maxWaitMs >= windowMs, {
    path: ["maxWaitMs"],
    message: "It must not be shorter than windowMs.",
  });

export const CreateOptions = QueueOptions.extend({
  idempotencyKey: Key,
  debounce: Debounce.optional(),
});

/** `delayMs` and `runAt` say the same. */
export const oneStart = z.refine<z.infer<typeof QueueOptions>>(
  ({ delayMs, runAt }) => delayMs === undefined || runAt === undefined,
  { path: ["runAt"], message: "Send either delayMs or runAt." },
);

export const debouncedAlone = z.refine<z.infer<typeof CreateOptions>>(
  ({ debounce, delayMs, runAt, idempotencyKey }) =>
    debounce === undefined || [delayMs, runAt, idempotencyKey].every((each) => each === undefined),
  { path: ["debounce"], message: "Send it without delayMs, runAt and idempotencyKey." },
);

/** A job of a kind that is known otherwise. */
export const InputOnly = z.object({ input: z.unknown() });
export const JobRequest = InputOnly.extend({ kind: z.string().min(1).max(MAX_KIND_CHARS) });
export const JobFilter = schemaFor<Filter>()(
  z.object({
    status: JobStatusSchema.optional(),
    kind: Text.max(MAX_KIND_CHARS).optional(),
    batchId: z.uuid().optional(),
    scheduleId: z.uuid().optional(),
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

// Inputs of several transports, each as a whole.

export const JobToCreate = JobRequest.extend(CreateOptions.shape).check(oneStart, debouncedAlone);
export const BatchToCreate = jobsOf(JobRequest).extend(QueueOptions.shape).check(oneStart);
export const JobDecision = JobId.extend(Note.shape);
export const BatchCancel = BatchId.extend(Note.shape);
export const JobsQuery = Page.extend(Owners.shape).extend(JobFilter.shape).check(oneOfOwners);
export const BatchesQuery = Page.extend(Owners.shape).check(oneOfOwners);
export const SchedulesQuery = Page.extend({ key: Key }).extend(Owners.shape).check(oneOfOwners);
export const FeedWatch = Resume.extend(Owners.shape).check(oneOfOwners);

const logPage = (most: number) =>
  JobId.extend({
    cursor: CursorSchema.nullish(),
    limit: z.int().min(1).max(most).default(200),
  });
export const EventsQuery = logPage(MAX_PAGE_EVENTS);
export const LogsQuery = logPage(MAX_LOG_LINES);

/** Without it, each connection of a caller that has no user id of its own is another guest, and so is each HTTP request. */
export const Device = z.object({ device: Text.min(1).max(MAX_DEVICE_CHARS).optional() });
/** Presence has no history: whatever `lastEventId` says, the watcher receives the present state. */
export const Watching = Device.extend({ visible: z.boolean().default(true), ...Resume.shape });
export const Typing = JobId.extend({ typing: z.boolean().default(true), ...Device.shape });

export const AuditQuery = Page.extend({
  user: Text.min(1).max(MAX_PRINCIPAL_CHARS).optional(),
  action: AuditActionSchema.optional(),
});
export const WorkerId = z.object({ workerId: Text.min(1).max(MAX_WORKER_ID_CHARS) });
export const WorkersQuery = Page.extend({
  limit: z.int().min(1).max(MAX_PAGE_WORKERS).default(50),
});
/** Strict: a field that is left out of a scope would widen it to everything. */
export const PauseScope = z.strictObject({
  tenant: Text.min(1).max(MAX_PRINCIPAL_CHARS).optional(),
  kind: Text.min(1).max(MAX_KIND_CHARS).optional(),
});
export const ToPause = PauseScope.extend({
  note: Text.trim().max(MAX_PAUSE_NOTE_CHARS).optional(),
});

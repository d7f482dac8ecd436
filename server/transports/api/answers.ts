/** The schemas of what the API answers, by the names that they have in the OpenAPI document. */
import { z } from "zod";
import { ActorSchema } from "#shared/actor.schema.ts";
import type { CallerInfo, KindInfo, SystemInfo } from "#shared/api.ts";
import { AuditEntrySchema } from "#shared/audit.schema.ts";
import type { AuditItem } from "#shared/audit.ts";
import { BatchAggregateSchema, BatchSchema } from "#shared/batch.schema.ts";
import type { DraftFrame } from "#shared/events.ts";
import { JobEventSchema } from "#shared/events.schema.ts";
import type { FeedEntry } from "#shared/feed.ts";
import type { JobSummary } from "#shared/job.ts";
import { JobSchema, JobStatusSchema } from "#shared/job.schema.ts";
import type { KindPolicies, LimitsOfKind } from "#shared/kind-policies.ts";
import { LOG_LEVELS, type LogFrame, type LogLine } from "#shared/log-line.ts";
import { PauseSchema } from "#shared/pause.schema.ts";
import type { Presence } from "#shared/presence.ts";
import { PrincipalSchema } from "#shared/principal.schema.ts";
import { RevokedSchema } from "#shared/revocation.schema.ts";
import { schemaFor } from "#shared/schema-for.ts";
import type { ScheduleDetails, ScheduleSummary } from "#shared/schedule.ts";
import { ScheduleSchema, ScheduleSummarySchema } from "#shared/schedule.schema.ts";
import type { Share, SharedLink, Ticket } from "#shared/share.ts";
import type { JobWaiting } from "#shared/waiting.ts";
import type { Ended, Held, WorkJob } from "#shared/work.ts";
import { WorkerPageSchema, WorkerSchema } from "#shared/worker.schema.ts";

const count = z.int().min(0);
const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

const Summary = schemaFor<JobSummary>()(JobSchema.omit({ input: true, output: true }));
const Line = schemaFor<LogLine>()(
  z.object({
    at: z.date(),
    level: z.enum(LOG_LEVELS),
    message: z.string(),
    seq: z.int(),
    attempt: z.int(),
  }),
);
const Lines = schemaFor<LogFrame>()(
  z.object({ jobId: z.uuid(), lines: z.array(Line), gap: z.literal(true).optional() }),
);
const Draft = schemaFor<DraftFrame>()(
  z.object({
    jobId: z.uuid(),
    seq: z.int(),
    attempt: z.int(),
    offset: count,
    text: z.string(),
    gap: z.literal(true).optional(),
  }),
);
const queued = { ahead: count, message: z.string() };
const ofKey = { of: z.literal("key"), key: z.string(), keyName: z.string().optional() };
const byRate = { ...queued, reason: z.literal("rate"), startsInMs: z.number() };
const byOthers = { ...queued, reason: z.literal("concurrency"), limit: z.int() };
const ofKind = { of: z.literal("kind") };
const Waiting = z.union([
  z.object({ ...queued, reason: z.literal("queued") }),
  z.object({ ...queued, reason: z.literal("delayed"), startsInMs: z.number() }),
  z.object({ ...byRate, ...ofKind }),
  z.object({ ...byRate, ...ofKey }),
  z.object({ ...byOthers, ...ofKind }),
  z.object({ ...byOthers, ...ofKey }),
]) as unknown as z.ZodType<JobWaiting>;
const Feed = schemaFor<FeedEntry>()(
  z.object({ rev: z.int(), job: Summary.nullable(), gap: z.literal(true).optional() }),
);
const Present = schemaFor<Presence>()(
  z.object({
    jobId: z.string().optional(),
    batchId: z.string().optional(),
    count,
    guests: count,
    people: z.array(z.object({ user: z.string(), since: z.date() })),
    typing: z.object({ count, people: z.array(z.string()) }),
    at: z.date(),
  }),
);
const rate = z.object({ limit: z.number(), perMs: z.number() });
const KindLimits = schemaFor<LimitsOfKind>()(
  z.object({
    concurrency: z.number().optional(),
    rate: rate.optional(),
    perKey: z.object({ concurrency: z.number().optional(), rate: rate.optional() }).optional(),
  }) as unknown as z.ZodType<LimitsOfKind>,
);
const Policies = z.object({
  retry: z
    .object({
      maxAttempts: z.int().optional(),
      backoff: z
        .object({
          firstMs: z.number(),
          factor: z.number(),
          maxMs: z.number(),
          jitter: z.number(),
        })
        .optional(),
      afterTimeLimit: z.boolean().optional(),
    })
    .optional(),
  timeLimitMs: z.number().optional(),
  retentionDays: z.number().optional(),
  priority: z.int().optional(),
  limits: KindLimits.optional(),
}) as unknown as z.ZodType<KindPolicies>;
const schemaObject = z.record(z.string(), z.unknown());
const Kind = z.object({
  name: z.string(),
  description: z.string(),
  input: schemaObject,
  details: schemaObject.optional(),
  output: schemaObject,
  remote: z.literal(true).optional(),
  policies: Policies.optional(),
}) as unknown as z.ZodType<KindInfo>;
const System = schemaFor<SystemInfo>()(
  z.object({
    version: z.string(),
    engine: z.string(),
    limits: z.object({ maxBatchJobs: z.int(), concurrency: z.int(), maxAttempts: z.int() }),
  }),
);
const Me = schemaFor<CallerInfo>()(
  z.object({ ...PrincipalSchema.shape, expiresInMs: z.number().nullable() }),
);
const Shared = schemaFor<Share>()(
  z.object({ token: z.string(), expiresAt: z.date(), linkId: z.uuid().nullable() }),
);
const Link = schemaFor<SharedLink>()(
  z.object({ linkId: z.uuid(), createdBy: z.string(), createdAt: z.date(), expiresAt: z.date() }),
);
const OpenTicket = schemaFor<Ticket>()(
  z.object({ ticket: z.string(), openBefore: z.date(), expiresAt: z.date() }),
);
const AuditRow = schemaFor<AuditItem>()(
  z.intersection(AuditEntrySchema, z.object({ id: z.string() })),
);
const Times = schemaFor<ScheduleDetails>()(ScheduleSchema.extend({ upcoming: z.array(z.date()) }));
const SchedulePlan = schemaFor<ScheduleSummary>()(ScheduleSummarySchema);

const WorkGiven = schemaFor<WorkJob>()(
  z.object({
    jobId: z.uuid(),
    kind: z.string(),
    tenant: z.string(),
    title: z.string(),
    input: z.unknown(),
    attempt: z.int(),
    token: z.string(),
    leaseEndsInMs: count,
    traceparent: z.string().optional(),
  }) as unknown as z.ZodType<WorkJob>,
);
const WorkHeld = schemaFor<Held>()(z.object({ cancelled: z.boolean(), leaseEndsInMs: count }));

/** How the API answers with an error: RFC 9457. */
const ProblemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  retryAfterMs: z.number().optional(),
  errors: z
    .array(
      z.object({
        pointer: z.string().optional(),
        parameter: z.string().optional(),
        detail: z.string(),
      }),
    )
    .optional(),
});
export type Problem = z.infer<typeof ProblemSchema>;

/** Each is a component of the document; one within another is a reference to it. */
export const ANSWERS = {
  Job: JobSchema,
  JobSummary: Summary,
  JobPage: pageOf(Summary).extend({ feed: z.number() }),
  JobEvent: JobEventSchema,
  JobEventPage: pageOf(JobEventSchema),
  LogLine: Line,
  LogLinePage: pageOf(Line),
  LogFrame: Lines,
  DraftFrame: Draft,
  JobWaiting: Waiting,
  Actor: ActorSchema,
  Batch: BatchSchema,
  BatchPage: pageOf(BatchSchema),
  BatchState: BatchAggregateSchema,
  FeedEntry: Feed,
  Presence: Present,
  Share: Shared,
  ShareLink: Link,
  ShareLinks: z.array(Link),
  Removed: z.object({ removed: count }),
  Schedule: SchedulePlan,
  SchedulePage: pageOf(SchedulePlan),
  ScheduleDetails: Times,
  WorkJob: WorkGiven,
  Work: z.object({ jobs: z.array(WorkGiven) }),
  WorkHeld,
  WorkDraftHeld: WorkHeld.extend({ length: count }),
  WorkEnded: schemaFor<Ended>()(z.object({ status: JobStatusSchema, cancelled: z.boolean() })),
  Kind,
  Kinds: z.array(Kind),
  Caller: Me,
  System,
  Ticket: OpenTicket,
  Pause: PauseSchema,
  Pauses: z.array(PauseSchema),
  Worker: WorkerSchema,
  WorkerPage: WorkerPageSchema,
  AuditEntry: AuditRow,
  AuditPage: pageOf(AuditRow),
  Revoked: RevokedSchema,
  Problem: ProblemSchema,
} as const satisfies Record<string, z.ZodType>;

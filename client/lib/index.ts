/** The package `@jobwire/client`. */
export {
  createJobwireClient,
  type Failed,
  failureOf,
  type GetToken,
  type JobHandle,
  type JobwireClient,
  type JobwireClientOptions,
  JobFailedError,
  type KindClient,
  type TokenReason,
  type WatchingPresence,
} from "./client.ts";
export { transformer } from "./transformer.ts";
export type * from "#shared/api.ts";
export type * from "#shared/api-inputs.ts";
export type * from "#shared/schedule-api.ts";
export type { Batch, BatchAggregate, BatchStatus } from "#shared/batch.ts";
export type { ErrorCode } from "#shared/errors.ts";
export type { DraftFrame, JobEvent } from "#shared/events.ts";
export type { FeedEntry } from "#shared/feed.ts";
export type { Job, JobStatus, JobSummary } from "#shared/job.ts";
export type { KindMap, KindTypes, ServerTypes } from "#shared/kind-types.ts";
export type { LogFrame, LogLevel, LogLine } from "#shared/log-line.ts";
export type { Presence, PresenceOf, PresentPerson } from "#shared/presence.ts";
export type { Principal } from "#shared/principal.ts";
export type { ScheduleDetails, ScheduleSummary, ScheduleTimes } from "#shared/schedule.ts";

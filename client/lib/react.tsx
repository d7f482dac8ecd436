/** React hooks over the typed client, on TanStack Query. Each hook returns the newest known state. */
export { JobwireProvider, useConnection, useJobwire } from "./react/context.tsx";
export { jobwireKeys } from "./react/query-keys.ts";
export {
  batchOptions,
  type Id,
  jobOptions,
  type LiveOptions,
  type ReadOptions,
  UNTIL_ANSWERED,
} from "./react/query-options.ts";
export type { LiveResult } from "./react/result.ts";
export { type BatchResult, useBatch } from "./react/use-batch.ts";
export { type CreateJobOptions, useCreateJob } from "./react/use-create-job.ts";
export { useDraft } from "./react/use-draft.ts";
export { type JobOptions, type JobResult, useJob } from "./react/use-job.ts";
export { type JobLogs, useJobLogs } from "./react/use-job-logs.ts";
export { type PresenceOptions, type PresenceTarget, usePresence } from "./react/use-presence.ts";
export { type TypingResult, useTyping } from "./react/use-typing.ts";
export { useWaiting } from "./react/use-waiting.ts";
export { type JobsFilter, type JobsOptions, type JobsResult, useJobs } from "./react/use-jobs.ts";

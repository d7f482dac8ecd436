/** Single jobs. */
import {
  EventsQuery,
  Follow,
  JobDecision,
  JobId,
  JobsQuery,
  JobToCreate,
  LogsQuery,
  Resume,
  Typing,
  Watching,
} from "#server/jobs/inputs.ts";
import { positionOf } from "#shared/cursor.ts";
import { ANSWERS } from "./answers.ts";
import { type Route, route } from "./route.ts";

const JobWatch = JobId.extend(Resume.shape).extend(Follow.shape);
const DraftWatch = JobId.extend(Resume.shape);
const afterOf = (cursor: string | null | undefined) => positionOf(cursor ?? "0") ?? 0;

const decision = (
  action: "cancel" | "retry" | "approve" | "reject" | "regenerate",
  summary: string,
): Route =>
  route({
    method: "POST",
    path: `/jobs/{jobId}/${action}`,
    operationId: `${action}Job`,
    summary,
    tag: "Jobs",
    answer: {
      procedure: `job.${action}`,
      input: JobDecision,
      status: 200,
      output: ANSWERS.Job,
      run: ({ acting, context }, { jobId, note }) =>
        context.jobs.decide(acting, jobId, action, note),
    },
  });

export const JOB_ROUTES: readonly Route[] = [
  route({
    method: "POST",
    path: "/jobs",
    operationId: "createJob",
    summary: "Create a job",
    tag: "Jobs",
    answer: {
      procedure: "job.create",
      input: JobToCreate,
      status: 201,
      output: ANSWERS.Job,
      run: ({ acting, context }, input) =>
        context.jobs.create(acting, { ...input, sameRequest: true }),
      location: ({ id }) => `/jobs/${id}`,
      keyed: true,
      ofKinds: "job",
    },
  }),
  route({
    method: "GET",
    path: "/jobs",
    operationId: "listJobs",
    summary: "List jobs, newest first",
    tag: "Jobs",
    answer: {
      procedure: "job.list",
      input: JobsQuery,
      status: 200,
      output: ANSWERS.JobPage,
      run: ({ principal, context }, { cursor, ...query }) =>
        context.jobs.list(principal, { ...query, cursor: cursor ?? undefined }),
    },
  }),
  route({
    method: "GET",
    path: "/jobs/{jobId}",
    operationId: "getJob",
    summary: "Read a job",
    tag: "Jobs",
    answer: {
      procedure: "job.get",
      input: JobId,
      status: 200,
      output: ANSWERS.Job,
      run: ({ principal, context }, { jobId }) => context.jobs.get(principal, jobId),
    },
  }),
  decision("cancel", "Cancel a job that is not settled"),
  decision("retry", "Run an aborted job again"),
  decision("approve", "Approve a blocked job"),
  decision("reject", "Reject a blocked job"),
  decision("regenerate", "Run a delivered or blocked job again"),
  route({
    method: "GET",
    path: "/jobs/{jobId}/events",
    operationId: "listJobEvents",
    summary: "Read the events of a job, oldest first, or watch them",
    tag: "Jobs",
    answer: {
      procedure: "job.events",
      input: EventsQuery,
      status: 200,
      output: ANSWERS.JobEventPage,
      run: ({ principal, context }, { jobId, limit, cursor }) =>
        context.jobs.events(principal, { jobId, limit, after: afterOf(cursor) }),
    },
    stream: {
      procedure: "job.onUpdate",
      input: JobWatch,
      event: "job",
      output: ANSWERS.JobEvent,
      open: ({ principal, context }, { jobId, lastEventId, follow }) =>
        context.streams.job(principal, jobId, {
          after: positionOf(lastEventId ?? undefined),
          follow,
        }),
    },
  }),
  route({
    method: "GET",
    path: "/jobs/{jobId}/logs",
    operationId: "listJobLogs",
    summary: "Read the log lines of a job, oldest first, or watch them",
    tag: "Jobs",
    answer: {
      procedure: "job.logs",
      input: LogsQuery,
      status: 200,
      output: ANSWERS.LogLinePage,
      run: ({ principal, context }, { jobId, limit, cursor }) =>
        context.jobs.logs(principal, { jobId, limit, after: afterOf(cursor) }),
    },
    stream: {
      procedure: "job.onLog",
      input: JobWatch,
      event: "lines",
      output: ANSWERS.LogFrame,
      open: ({ principal, context }, { jobId, lastEventId, follow }) =>
        context.streams.lines(principal, jobId, {
          after: positionOf(lastEventId ?? undefined),
          follow,
        }),
    },
  }),
  route({
    method: "GET",
    path: "/jobs/{jobId}/draft",
    operationId: "watchJobDraft",
    summary: "Watch the text that a job writes",
    tag: "Jobs",
    stream: {
      procedure: "job.onOutput",
      input: DraftWatch,
      event: "draft",
      output: ANSWERS.DraftFrame,
      open: ({ principal, context }, { jobId, lastEventId }) =>
        context.streams.draft(principal, jobId, { after: positionOf(lastEventId ?? undefined) }),
    },
  }),
  route({
    method: "GET",
    path: "/jobs/{jobId}/waiting",
    operationId: "getJobWaiting",
    summary: "Read why a job waits; null if it does not",
    tag: "Jobs",
    answer: {
      procedure: "job.waiting",
      input: JobId,
      status: 200,
      output: ANSWERS.JobWaiting.nullable(),
      run: ({ principal, context }, { jobId }) => context.jobs.waiting(principal, jobId),
    },
  }),
  route({
    method: "GET",
    path: "/jobs/{jobId}/presence",
    operationId: "watchJobPresence",
    summary: "Watch who looks at a job, and who writes a note",
    tag: "Jobs",
    stream: {
      procedure: "job.onPresence",
      input: JobId.extend(Watching.shape),
      event: "presence",
      output: ANSWERS.Presence,
      open: ({ principal, context, device: own }, { jobId, device = own, visible }) =>
        context.presence.watch(principal, { jobId }, { device, visible }),
    },
  }),
  route({
    method: "POST",
    path: "/jobs/{jobId}/typing",
    operationId: "setTyping",
    summary: "Tell that the caller writes a note about a job, or has stopped",
    tag: "Jobs",
    answer: {
      procedure: "job.typing",
      input: Typing,
      status: 204,
      run: ({ principal, context, device: own }, { jobId, typing, device = own }) =>
        context.presence.setTyping(principal, jobId, typing, device),
    },
  }),
];

/**
 * All metrics, with their labels: docs/metrics.md has this table. Names and units follow Prometheus' conventions. The values
 * of each label are known: no text of a client, a job or a tenant becomes one, so the number of series is bounded.
 */
import { ENGINE_FAILURES, ENGINE_OPERATIONS } from "#server/engine/observe-engine.ts";
import { ATTEMPT_OUTCOMES } from "#server/jobs/runner-observer.ts";
import { LIMIT_NAMES } from "#server/limits/limits.ts";
import { FIRING_RESULTS } from "#server/schedules/observer.ts";
import { STREAM_KINDS } from "#server/streams/open.ts";
import { CALL_TRANSPORTS, REFUSAL_REASONS, SIGN_IN_OUTCOMES } from "#server/transports/observer.ts";
import { CONNECTION_KINDS } from "#server/transports/usage.ts";
import { ERROR_CODES } from "#shared/errors.ts";
import { JOB_EVENT_TYPES } from "#shared/events.ts";

/** In the place of a value that is not registered. */
export const OTHER = "other";

/** Lists are the values themselves; a text describes those that only a running server knows. */
export type LabelValues = readonly string[] | string;

export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram";
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  readonly labels: Readonly<Record<string, LabelValues>>;
  /** Of a histogram: upper bounds, in its unit. */
  readonly buckets?: readonly number[];
}

const KINDS = `the registered kinds, and \`${OTHER}\``;
const PROCEDURES = `the procedures of tRPC, and \`${OTHER}\``;
const WEBSOCKETS = ["trpc-websocket", "api-websocket", "socketio-websocket"] as const;

/** From one commit of the embedded engine to a time-out of Redis. */
const OPERATION_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5,
] as const;
/** A person notices a tenth of a second, and complains about seconds. */
const LAG_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;
/** A firing that is later was missed. */
const FIRING_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
/** From a free slot at once to a backlog of hours. */
const WAIT_SECONDS = [0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 900, 3600, 14_400] as const;
/** From a computation to a job that waits for other systems. */
const RUN_SECONDS = [0.01, 0.1, 0.5, 1, 5, 15, 30, 60, 300, 900, 3600] as const;
/** One write alone, up to the weight at which a group is full. */
const GROUP_SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500] as const;

export const METRICS = {
  connections: {
    type: "gauge",
    name: "jobwire_connections",
    help: "Open connections of clients, by transport.",
    labels: { transport: CONNECTION_KINDS },
  },
  connectionsOpened: {
    type: "counter",
    name: "jobwire_connections_opened_total",
    help: "Connections of clients that were opened, by transport.",
    labels: { transport: CONNECTION_KINDS },
  },
  connectionsFull: {
    type: "gauge",
    name: "jobwire_connections_full",
    help: "Open connections that take nothing more until their clients read.",
    labels: { transport: WEBSOCKETS },
  },
  connectionsStalled: {
    type: "counter",
    name: "jobwire_connections_stalled_total",
    help: "Connections that were closed because their clients read nothing for STALL_TIMEOUT_MS.",
    labels: { transport: [...WEBSOCKETS, "http"] },
  },
  connectionsDropped: {
    type: "counter",
    name: "jobwire_connections_dropped_total",
    help: "TCP connections that were closed at once because MAX_CONNECTIONS were open.",
    labels: {},
  },
  sentEntries: {
    type: "counter",
    name: "jobwire_sent_entries_total",
    help: "Entries of streams that were sent to clients, by transport.",
    labels: { transport: CONNECTION_KINDS },
  },
  sentBytes: {
    type: "counter",
    name: "jobwire_sent_bytes_total",
    help: "Bytes of these entries as they were written, before TLS; over SSE those of whole answers.",
    labels: { transport: CONNECTION_KINDS },
  },
  watches: {
    type: "gauge",
    name: "jobwire_watches",
    help: "Open watches of this process.",
    labels: {},
  },
  watchedStreams: {
    type: "gauge",
    name: "jobwire_watched_streams",
    help: "Streams that are watched in this process.",
    labels: {},
  },
  deliveredEntries: {
    type: "counter",
    name: "jobwire_delivered_entries_total",
    help: "Entries that watches took, by kind of stream, also those of watches inside the process.",
    labels: { stream: STREAM_KINDS },
  },
  foldedEntries: {
    type: "counter",
    name: "jobwire_folded_entries_total",
    help: "Entries that were folded into later ones because a watcher was behind.",
    labels: { stream: STREAM_KINDS },
  },
  watchPauses: {
    type: "counter",
    name: "jobwire_watch_pauses_total",
    help: "How often a watch stopped because its client was behind.",
    labels: { stream: STREAM_KINDS },
  },
  streamGaps: {
    type: "counter",
    name: "jobwire_stream_gaps_total",
    help: "How often a watcher got the current state, marked as a gap, for a cursor that could not be served.",
    labels: { stream: STREAM_KINDS },
  },
  deliveryLag: {
    type: "histogram",
    name: "jobwire_delivery_lag_seconds",
    help: "Time from a change of a job until all its watchers that keep up have it; once for the changes of a tick.",
    labels: {},
    buckets: LAG_SECONDS,
  },
  jobEvents: {
    type: "counter",
    name: "jobwire_job_events_total",
    help: "Events that this process stored in logs of jobs, by type.",
    labels: { type: JOB_EVENT_TYPES },
  },
  queueWait: {
    type: "histogram",
    name: "jobwire_job_queue_wait_seconds",
    help: "Time from the creation of a job to its first start, by kind.",
    labels: { kind: KINDS },
    buckets: WAIT_SECONDS,
  },
  runTime: {
    type: "histogram",
    name: "jobwire_job_run_seconds",
    help: "Time of an attempt from its start until its end is stored, by kind and outcome.",
    labels: { kind: KINDS, outcome: ATTEMPT_OUTCOMES },
    buckets: RUN_SECONDS,
  },
  jobsRecovered: {
    type: "counter",
    name: "jobwire_jobs_recovered_total",
    help: "Jobs that this process took over because their runner had died, by kind.",
    labels: { kind: KINDS },
  },
  scheduleFirings: {
    type: "counter",
    name: "jobwire_schedule_firings_total",
    help: "Firings of schedules that this process decided: with a job, refused, or missed and skipped.",
    labels: { result: FIRING_RESULTS },
  },
  scheduleLag: {
    type: "histogram",
    name: "jobwire_schedule_lag_seconds",
    help: "Time from when a job of a schedule was due until this process created it, without missed firings.",
    labels: {},
    buckets: FIRING_SECONDS,
  },
  runningJobs: {
    type: "gauge",
    name: "jobwire_running_jobs",
    help: "Jobs that run in this process.",
    labels: {},
  },
  unsettledJobs: {
    type: "gauge",
    name: "jobwire_unsettled_jobs",
    help: "Jobs of all tenants that wait or run; of the embedded engine alone.",
    labels: {},
  },
  concurrency: {
    type: "gauge",
    name: "jobwire_concurrency",
    help: "Jobs that this process may run at the same time; 0 for a gateway.",
    labels: {},
  },
  draining: {
    type: "gauge",
    name: "jobwire_worker_draining",
    help: "1 while this process was told to start no more jobs, otherwise 0.",
    labels: {},
  },
  paused: {
    type: "gauge",
    name: "jobwire_paused",
    help: "1 while everything is paused, so that no process starts jobs, otherwise 0.",
    labels: {},
  },
  engineAvailable: {
    type: "gauge",
    name: "jobwire_engine_available",
    help: "1 if the last write did not fail and the connection to the data is open, otherwise 0.",
    labels: {},
  },
  engineOperation: {
    type: "histogram",
    name: "jobwire_engine_operation_seconds",
    help: "Time of an operation on the data, by its name in the contract of engines.",
    labels: { operation: ENGINE_OPERATIONS },
    buckets: OPERATION_SECONDS,
  },
  engineFailures: {
    type: "counter",
    name: "jobwire_engine_failures_total",
    help: "Operations on the data that failed because of the engine, by error code.",
    labels: { code: ENGINE_FAILURES },
  },
  dataBytes: {
    type: "gauge",
    name: "jobwire_data_bytes",
    help: "Size of the embedded database with its log.",
    labels: {},
  },
  diskFree: {
    type: "gauge",
    name: "jobwire_data_disk_free_bytes",
    help: "Room on the disk of DATA_DIR; of the embedded engine alone.",
    labels: {},
  },
  diskSize: {
    type: "gauge",
    name: "jobwire_data_disk_size_bytes",
    help: "Size of the disk of DATA_DIR; of the embedded engine alone.",
    labels: {},
  },
  engineGroup: {
    type: "histogram",
    name: "jobwire_engine_group_size",
    help: "Writes that were stored by one commit (SQLite) or one script (Redis).",
    labels: {},
    buckets: GROUP_SIZES,
  },
  callErrors: {
    type: "counter",
    name: "jobwire_call_errors_total",
    help: "Calls that were answered with an error, by transport and error code.",
    labels: { transport: CALL_TRANSPORTS, code: ERROR_CODES },
  },
  failedCalls: {
    type: "counter",
    name: "jobwire_failed_calls_total",
    help: "Calls of tRPC that were answered with an error, by procedure.",
    labels: { procedure: PROCEDURES },
  },
  rateLimited: {
    type: "counter",
    name: "jobwire_rate_limited_total",
    help: "Refusals because of a limit, by the name of the limit.",
    labels: { limit: LIMIT_NAMES },
  },
  signIns: {
    type: "counter",
    name: "jobwire_sign_ins_total",
    help: "Sign-ins of browsers, by way and outcome.",
    labels: { method: ["token", "oidc"], outcome: SIGN_IN_OUTCOMES },
  },
  credentialsRefused: {
    type: "counter",
    name: "jobwire_credentials_refused_total",
    help: "Requests and connections whose credentials were refused, by reason.",
    labels: { reason: REFUSAL_REASONS },
  },
  buildInfo: {
    type: "gauge",
    name: "jobwire_build_info",
    help: "Always 1; its labels say what runs.",
    labels: {
      version: "that of the server",
      role: ["all", "gateway", "worker"],
      engine: ["sqlite", "redis"],
    },
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricKey = keyof typeof METRICS;

/**
 * Bounds of records and inputs. Limits of a protocol stand beside the code that enforces them; the table of bounds in
 * SPEC.md lists all of them.
 */

/** A job's input as JSON, in bytes of UTF-8. */
export const MAX_INPUT_BYTES = 256 * 1024;
/** A job's output as JSON, in bytes of UTF-8. */
export const MAX_OUTPUT_BYTES = 5 * 1024 * 1024;
/** The details of a job as JSON, in bytes of UTF-8. Each event has them, so they are much smaller. */
export const MAX_DETAILS_BYTES = 8 * 1024;
/** Levels of arrays and objects in an input, an output or details. Serialisers recurse, so deep values overflow the stack. */
export const MAX_JSON_DEPTH = 100;

/** An event's message. A longer one is cut. In UTF-16 units, like all lengths at which texts are cut. */
export const MAX_MESSAGE_CHARS = 2000;
/** A job's title. A longer one is cut. */
export const MAX_TITLE_CHARS = 300;
/** The code of a job's error. A longer one is cut. */
export const MAX_ERROR_CODE_CHARS = 100;
/** The text of an error. A longer one is cut. */
export const MAX_ERROR_CHARS = 10_000;

/** The draft of one attempt, in bytes of UTF-8. */
export const MAX_DRAFT_BYTES = 2 * 1024 * 1024;
/** Pieces in which the draft of one attempt is stored. */
export const MAX_DRAFT_PIECES = 100_000;
/** Log lines of one job. Beyond it the oldest are deleted. */
export const MAX_LOG_LINES = 1000;
/** One log line. A longer one is cut. */
export const MAX_LINE_CHARS = 2000;
/** Log lines that an attempt may write at once; further ones follow at the pace of `LOG_LINES_A_SECOND`. */
export const MAX_LINES_AT_ONCE = 500;
/** Warnings and errors that an attempt may log beyond that; further ones follow at a tenth of the pace. */
export const RESERVED_LINES = 50;
/** Log lines that an attempt may write a second, in the long run. Those beyond it are counted and dropped. */
export const LOG_LINES_A_SECOND = 20;
/** Events in the log of one job, after which it can neither report progress nor be queued again. */
export const MAX_JOB_EVENTS = 200_000;
/** Details in the events of one attempt, as JSON: each event carries the newest ones. */
export const MAX_ATTEMPT_DETAILS = 64 * 1024 * 1024;
/** How long a job that was started may wait for its next attempt. An error that asks for more is final. */
export const MAX_DELAY_MS = 60 * 60_000;
/** How long a new job may wait for its time to start, and how long after it its expiry may be: a leap year. */
export const MAX_START_DELAY_MS = 366 * 86_400_000;
/** How often a job may be started, where its creator says so. */
export const MAX_JOB_ATTEMPTS = 100;
/** The key of `debounce`. In code points, as zod counts. */
export const MAX_DEBOUNCE_KEY_CHARS = 200;
/** The highest priority of a job in the queue; 0 is the lowest. */
export const MAX_PRIORITY = 9;
/** The key by which the limits of its kind count a job. In UTF-16 units. */
export const MAX_LIMIT_KEY_CHARS = 200;
/** Pending calls of `progress` in one attempt. */
export const MAX_UNFINISHED_REPORTS = 1000;

/** Issues of one input that an error lists. */
export const MAX_INPUT_ISSUES = 20;
/** The text of one issue, and each key in its path. A longer one is cut. */
export const MAX_ISSUE_CHARS = 300;

/** A user id, a tenant id, or a scope. In code points, as zod counts. */
export const MAX_PRINCIPAL_CHARS = 300;
export const MAX_SCOPES = 1000;
/** UTF-16 units. A longer one fits into no header. */
export const MAX_TOKEN_CHARS = 8192;

// Fields of requests, in code points, as zod counts. The page's fields count UTF-16 units, so they accept no more.

/** The note of a decision. */
export const MAX_NOTE_CHARS = 2000;
/** The name of a batch. */
export const MAX_BATCH_NAME_CHARS = 200;
/** An idempotency key. */
export const MAX_KEY_CHARS = 200;
/** The name of a kind, in a request. */
export const MAX_KIND_CHARS = 100;
/** An id in a message of an older client. */
export const MAX_LEGACY_ID_CHARS = 200;
/** The cursor of a page of jobs or batches. */
export const MAX_PAGE_CURSOR_CHARS = 200;
/** Jobs or batches of one page. */
export const MAX_PAGE_ITEMS = 200;
/** Events of one page. */
export const MAX_PAGE_EVENTS = 1000;
/** The details of the events of one page, as JSON, in UTF-16 units. A page ends with the event that exceeds it. */
export const MAX_PAGE_DETAILS = 1024 * 1024;

/** The trace context that is stored with a job: `traceparent`, and the `tracestate` that fits. */
export const MAX_TRACE_CHARS = 600;

/** Entries in the audit list of one tenant. Beyond it the oldest are deleted. */
export const MAX_AUDIT_ENTRIES = 100_000;

/** Pauses of the whole instance. */
export const MAX_PAUSES = 1000;
/** Pauses of kinds: of one tenant, and beside these of all. Each claim of a tenant's jobs is told of them. */
export const MAX_PAUSED_KINDS = 100;
/** The note of a pause. In code points, as zod counts. */
export const MAX_PAUSE_NOTE_CHARS = 500;
/** Workers of one page, each with its jobs. */
export const MAX_PAGE_WORKERS = 100;
/** The id of a worker, in a request. */
export const MAX_WORKER_ID_CHARS = 100;

/** API keys of one tenant. Beyond it a new one takes the place of the oldest that was revoked or has expired. */
export const MAX_API_KEYS = 1000;
/** The label of an API key. In code points, as zod counts. */
export const MAX_API_KEY_LABEL_CHARS = 100;
/** The scopes of an API key. */
export const MAX_API_KEY_SCOPES = 100;

/** Revoked tokens of one tenant that have not expired. */
export const MAX_REVOKED_TOKENS = 5000;
/** Revoked users of one tenant. */
export const MAX_REVOKED_USERS = 5000;

/** The life of a stream token. */
export const MAX_STREAM_TOKEN_SECONDS = 86_400;
/** The life of a share link: 30 days. */
export const MAX_SHARE_LINK_SECONDS = 30 * 86_400;
/** The name of a viewer in a stream token. In code points, as zod counts. */
export const MAX_VIEWER_CHARS = 200;
/** Share links of one job or batch that have not ended. */
export const MAX_STREAM_LINKS = 20;
/** Share links of one tenant that have not ended. */
export const MAX_TENANT_LINKS = 1000;
/** The path of a stream that a ticket is asked for, with its query. In code points, as zod counts. */
export const MAX_TICKET_PATH_CHARS = 2000;
/** Opened tickets of one user that have not expired. */
export const MAX_TICKETS = 1000;

/** Schedules of one tenant. Beyond it a new one takes the place of the oldest that has fired for the last time. */
export const MAX_SCHEDULES = 1000;
/** The expression of a schedule. In code points, as zod counts. */
export const MAX_CRON_CHARS = 200;
/** The name of a time zone. In code points, as zod counts. */
export const MAX_TIME_ZONE_CHARS = 100;
/** The smallest interval of a schedule; an expression has none below a second. */
export const MIN_SCHEDULE_MS = 1000;
/** The largest interval of a schedule: a leap year. */
export const MAX_SCHEDULE_MS = 366 * 86_400_000;
/** Missed firings of a schedule that are counted. */
export const MAX_MISSED_COUNT = 100;

/** People whom presence names. More are counted. */
export const MAX_SHOWN_PEOPLE = 20;
/** The name of a device, by which callers without a user id are counted. In code points, as zod counts. */
export const MAX_DEVICE_CHARS = 64;

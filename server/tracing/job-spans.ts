/**
 * The spans of jobs, by the semantic conventions for messaging: the queue of a kind is a destination, and a job is a message.
 * Attributes have ids of jobs and batches, and never contents, names or credentials.
 */
import {
  type Attributes,
  type Context,
  context,
  type Span,
  SpanKind,
  trace,
} from "@opentelemetry/api";
import { contextOfTrace, storedTraceOf, traceparentOf } from "./trace-context.ts";
import { endWithError, tracer } from "./tracer.ts";

/** `name` and `type`: those of `messaging.operation`. */
function attributesOf(name: string, type: string, kind: string | undefined): Attributes {
  return {
    // The older name of the attribute, which more backends read.
    "messaging.system": "jobwire",
    "messaging.system.name": "jobwire",
    "messaging.operation.name": name,
    "messaging.operation.type": type,
    ...(kind !== undefined && { "messaging.destination.name": kind }),
  };
}

const nameOf = (operation: string, kind: string | undefined) =>
  kind === undefined ? operation : `${operation} ${kind}`;

interface Creating {
  /** `undefined`: a batch of several kinds. */
  kind: string | undefined;
  attributes: Attributes;
  codeOf: (error: unknown) => string;
  /** The attribute of the stored record's id: that of an earlier one, where the idempotency key was used before. */
  idAs?: string;
}

/** `store` receives the trace that the jobs are to be stored with. */
function inCreateSpan<T extends { id: string }>(
  { kind, attributes, codeOf, idAs = "messaging.message.id" }: Creating,
  store: (trace: string | undefined) => Promise<T>,
): Promise<T> {
  const all = { ...attributesOf("create", "create", kind), ...attributes };
  const options = { kind: SpanKind.PRODUCER, attributes: all };
  return tracer().startActiveSpan(nameOf("create", kind), options, async (span) => {
    try {
      const stored = await store(storedTraceOf(trace.setSpan(context.active(), span)));
      span.setAttribute(idAs, stored.id);
      return stored;
    } catch (error) {
      endWithError(span, codeOf(error));
      throw error;
    } finally {
      span.end();
    }
  });
}

export function inJobSpan<T extends { id: string }>(
  kind: string,
  codeOf: Creating["codeOf"],
  store: (trace: string | undefined) => Promise<T>,
): Promise<T> {
  return inCreateSpan({ kind, attributes: {}, codeOf }, store);
}

export function inBatchSpan<T extends { id: string }>(
  batch: { kinds: ReadonlySet<string>; count: number },
  codeOf: Creating["codeOf"],
  store: (trace: string | undefined) => Promise<T>,
): Promise<T> {
  const [first, ...others] = batch.kinds;
  const attributes = { "messaging.batch.message_count": batch.count };
  const kind = others.length === 0 ? first : undefined;
  return inCreateSpan({ kind, attributes, codeOf, idAs: "jobwire.batch.id" }, store);
}

export type AttemptOutcome =
  | "delivered"
  | "blocked"
  | "aborted"
  /** It will be tried again after an error. */
  | "retried"
  /** By a shutdown. */
  | "given back"
  /** The job was cancelled, or another runner has it. */
  | "lost";

/** The span of one attempt. */
export interface AttemptSpan {
  /** For `traceparent` of requests that the attempt makes. `undefined`: there is no trace. */
  readonly traceparent: string | undefined;
  /** Runs code in which the attempt's span is the active one. */
  within<T>(code: () => T): T;
  progressed(percent: number): void;
  /** A part of the draft is stored. Only the first one counts: there may be thousands. */
  drafted(): void;
  /** Stores the end of the attempt, in a span of its own. */
  settle<T>(action: string, store: () => Promise<T>): Promise<T>;
  /** `code`: that of the error with which it ended. */
  end(outcome: AttemptOutcome, code?: string): void;
}

interface Attempted {
  id: string;
  kind: string;
  batchId: string | null;
  attempt: number;
  createdAt: Date;
  startedAt: Date | null;
}

/** Its parent is the span that created the job, so all attempts of a job are in one trace. */
export function startAttemptSpan(job: Attempted, stored: string | undefined): AttemptSpan {
  const parent = contextOfTrace(stored);
  const { kind } = job;
  const span = tracer().startSpan(
    nameOf("process", kind),
    { kind: SpanKind.CONSUMER, attributes: attemptAttributes(job) },
    parent,
  );
  const own = trace.setSpan(parent, span);
  let hasDraft = false;
  return {
    traceparent: traceparentOf(own),
    within: (code) => context.with(own, code),
    progressed: (percent) => void span.addEvent("progress", { "jobwire.job.progress": percent }),
    drafted() {
      if (!hasDraft) span.addEvent("draft");
      hasDraft = true;
    },
    settle: (action, store) => inSettleSpan(own, { action, kind, id: job.id }, store),
    end(outcome, code) {
      span.setAttribute("jobwire.job.outcome", outcome);
      if (code !== undefined) endWithError(span, code);
      span.end();
    },
  };
}

function attemptAttributes(job: Attempted): Attributes {
  const { id, kind, batchId, attempt, createdAt, startedAt } = job;
  // When a later attempt was queued is not known: it is in the log.
  const wait = attempt === 1 && startedAt !== null ? startedAt.getTime() - createdAt.getTime() : -1;
  return {
    ...attributesOf("process", "process", kind),
    "messaging.message.id": id,
    "jobwire.job.attempt": attempt,
    ...(batchId !== null && { "jobwire.batch.id": batchId }),
    ...(wait >= 0 && { "jobwire.job.queue_ms": wait }),
  };
}

async function inSettleSpan<T>(
  parent: Context,
  { action, kind, id }: { action: string; kind: string; id: string },
  store: () => Promise<T>,
): Promise<T> {
  const attributes = {
    ...attributesOf(action, "settle", kind),
    "messaging.message.id": id,
  };
  const options = { kind: SpanKind.CLIENT, attributes };
  const span: Span = tracer().startSpan(nameOf(action, kind), options, parent);
  try {
    return await context.with(trace.setSpan(parent, span), store);
  } catch (error) {
    endWithError(span, "not stored");
    throw error;
  } finally {
    span.end();
  }
}

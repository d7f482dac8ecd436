/**
 * One attempt at a claimed job: runs its kind, and stores how the attempt ended.
 *
 * The engine alone decides which runner holds a job. When it refuses the claim, the attempt is over: its code's signal
 * is aborted, and nothing more is written.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { Claim, Engine } from "#server/engine/contract.ts";
import { type AnyKind, Failure } from "#server/kinds/define.ts";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import type { Clock } from "#shared/clock.ts";
import { asError, messageOf, wholeMessageOf } from "#shared/errors.ts";
import type { JobChange } from "#shared/lifecycle.ts";
import {
  type AttemptOutcome,
  type AttemptSpan,
  startAttemptSpan,
} from "#server/tracing/job-spans.ts";
import { createAttemptLog } from "./attempt-log.ts";
import { guard, isOver, LOST } from "./claim-guard.ts";
import { type KindCode, startCode } from "./kind-code.ts";
import { endingOf } from "./outcome.ts";
import { openReports } from "./reports.ts";
import { afterLease } from "./lost-attempt.ts";
import {
  afterError,
  type Ending,
  faultOf,
  isFault,
  isUnavailable,
  messageFor,
  type RetryPolicy,
  retryPolicyOf,
} from "./retry.ts";
import { startTimeLimit } from "./time-limit.ts";

/** Why a running job's signal is aborted, beside `LOST`. */
export const SHUTDOWN = "shutdown";
/** The attempt ended before its code returned. */
const ENDED = "ended";

export interface AttemptPolicy extends RetryPolicy {
  now: () => Date;
  /** Milliseconds of a clock that never goes back. */
  clock?: () => number;
  /** Pause before the end of an attempt that could not be stored is stored again. */
  storeAgainMs?: number;
  /** How long aborted code may go on before another job may start in its stead. */
  stopMs?: number;
  /** Measures how long attempts run. */
  timer?: Pick<Clock, "after">;
}

interface AttemptContext extends AttemptPolicy {
  engine: Pick<Engine, "change" | "appendDraft" | "appendLines">;
  kinds: ReadonlyMap<string, AnyKind>;
  log: Logger;
  /** Called when another job may start: the code returned, or does not stop. */
  returned: () => void;
}

/** Of a job that its claim did not want: a worker elsewhere runs it. */
const LEFT: Ending = {
  action: "release",
  message: "Job left to a worker of another program",
  delayMs: 0,
  counts: false,
};
const STORE_AGAIN_MS = 1000;
const STOP_MS = 30_000;

/**
 * Resolves to the end of the attempt once it is stored and the code has returned, or was given up because it did not stop; after
 * `SHUTDOWN` it does not wait for the code. `undefined`: the claim was lost, because the job was cancelled or another runner has it.
 * Rejects when the end could not be stored: then the lease runs out, and the job is claimed again.
 */
export function attempt(
  claim: Claim,
  controller: AbortController,
  context: AttemptContext,
): Promise<Ending | undefined> {
  const span = startAttemptSpan(claim.job, claim.trace);
  return span.within(() => attemptIn(span, claim, controller, context));
}

async function attemptIn(
  span: AttemptSpan,
  claim: Claim,
  controller: AbortController,
  context: AttemptContext,
): Promise<Ending | undefined> {
  const { job } = claim;
  const { engine, now } = context;
  const { signal } = controller;
  const mine = guard(controller);
  const change = (what: JobChange) =>
    span.settle(what.action, () => mine(engine.change(job.id, what, now(), claim)));
  const log = createAttemptLog(context.log, job, context.clock);
  try {
    if (claim.started === null) {
      const end = afterLease(job, context.kinds.get(job.kind), context, now());
      await change(end);
      log.ended(end);
      span.end(...outcomeOf(end, signal, "CRASHED"));
      return end;
    }
    log.started();
    const { ending, code, fault } = await run(span, claim, controller, context);
    if (code?.running() === true) code.stop(ENDED);
    else context.returned();
    const end = await store(ending, change, signal, context);
    log.ended(end);
    span.end(...outcomeOf(end, signal, fault));
    await Promise.race([code?.over, shutdownOf(signal).catch(() => {})]);
    return end;
  } catch (error) {
    const isLost = signal.reason === LOST || isOver(error);
    span.end("lost", isLost ? undefined : "UNAVAILABLE");
    if (!isLost) throw error;
    log.lost();
    return undefined;
  }
}

/** `fault`: the code of the error after which the attempt is repeated. */
function outcomeOf(
  end: Ending,
  { reason }: AbortSignal,
  fault: string | undefined,
): [AttemptOutcome, code?: string | undefined] {
  switch (end.action) {
    case "deliver":
      return ["delivered"];
    case "block":
      return ["blocked"];
    case "fail":
      return ["aborted", end.error.code];
    case "release":
      return reason === SHUTDOWN ? ["given back"] : ["retried", fault];
  }
}

/** Runs the kind, and returns the change that ends the attempt. Its code may still run then. */
async function run(
  span: AttemptSpan,
  claim: Claim,
  controller: AbortController,
  context: AttemptContext,
): Promise<{ ending: Ending; code?: KindCode; fault?: string }> {
  const { job, fault } = claim;
  const { engine, log, now } = context;
  const { signal } = controller;
  const kind = context.kinds.get(job.kind);
  if (kind === undefined) {
    const message = `This server does not know the kind "${job.kind}"`;
    return { ending: { action: "fail", error: { code: "UNKNOWN_KIND", message } } };
  }
  if (kind.remote) return { ending: LEFT };
  if (fault !== undefined) {
    log.error({ reason: fault.message }, "A job cannot run");
    return { ending: { action: "fail", error: fault } };
  }
  /** Refusals of the engine. Code can throw an error that only looks like one of these. */
  const refused = new WeakSet<Error>();
  const mine = guard(controller, (error) => refused.add(error));
  const early = Promise.withResolvers<never>();
  early.promise.catch(() => {});
  const reports = openReports({
    kind,
    jobId: job.id,
    events: job.version,
    store: {
      progress(progress, message, details) {
        const report = { action: "progress", progress, message, details } as const;
        span.progressed(progress);
        return mine(engine.change(job.id, report, now(), claim));
      },
      draft(text) {
        span.drafted();
        return mine(engine.appendDraft(claim, text));
      },
      lines: (lines) => mine(engine.appendLines(claim, lines)),
    },
    now,
    clock: context.clock ?? (() => performance.now()),
    onLinesLost(reason) {
      // At a lost claim, the lines have no attempt any more.
      if (!isUnavailable(reason)) return;
      log.warn({ reason: wholeMessageOf(reason) }, "The last log lines of an attempt are lost");
    },
    end: early.reject,
  });
  const code = startCode({
    kind,
    job,
    reports,
    signal,
    traceparent: span.traceparent,
    log,
    stopMs: context.stopMs ?? STOP_MS,
    gaveUp() {
      context.returned();
      // Of a claim that was lost: nothing else would end this attempt.
      early.reject(new Error("The code was given up"));
    },
    onStray: (error) => early.reject(strayed(error)),
  });
  const stopTime = startTimeLimit(kind, context.timer ?? SYSTEM_CLOCK, (error) => {
    early.reject(error);
    code.stop(error);
  });
  try {
    const returned = await Promise.race([early.promise, code.result, shutdownOf(signal)]);
    await reports.close();
    return { ending: endingOf(returned, kind.output), code };
  } catch (thrown) {
    if (signal.reason === LOST) {
      await code.over;
      throw thrown;
    }
    // Store the draft up to the failure; if that fails too, `thrown` is the better error.
    await reports.close().catch(() => {});
    if (signal.reason === SHUTDOWN) {
      const message = "Job given back - The server is restarting";
      return { ending: { action: "release", message, delayMs: 0, counts: false }, code };
    }
    const looksRefused = isUnavailable(thrown) && !refused.has(thrown);
    const error = looksRefused ? new Error(messageOf(thrown), { cause: asError(thrown) }) : thrown;
    if (isFault(error)) {
      log.error({ err: asError(error) }, "A kind threw an error that it does not declare");
    }
    if (isUnavailable(error))
      log.warn({ reason: wholeMessageOf(error) }, "Progress could not be stored");
    const ending = afterError(error, job, retryPolicyOf(job, kind, context));
    return { ending, code, fault: codeOf(error) };
  } finally {
    stopTime();
  }
}

/** That of the engine's error, or of the kind's. */
function codeOf(error: unknown): string {
  return isUnavailable(error) ? "UNAVAILABLE" : faultOf(error).code;
}

function strayed(error: unknown): Failure {
  const text = `Its code threw an error outside of \`run\`: ${messageFor(error)}`;
  return new Failure("KIND_FAILED", text);
}

/**
 * Stores the end of the attempt, and returns what was stored. Retries: a full disk may delay a result, but not undo it.
 */
async function store(
  end: Ending,
  change: (what: JobChange) => Promise<unknown>,
  signal: AbortSignal,
  { log, storeAgainMs = STORE_AGAIN_MS }: AttemptContext,
): Promise<Ending> {
  let what = end;
  for (;;) {
    try {
      await change(what);
      return what;
    } catch (error) {
      if (signal.aborted) throw error;
      if (isUnavailable(error)) {
        log.warn(
          { reason: wholeMessageOf(error) },
          "The end of an attempt could not be stored. The runner tries again",
        );
        await delay(storeAgainMs, undefined, { signal }).catch(() => {});
      } else if (what.action === "fail") {
        throw error;
      } else {
        log.error({ err: asError(error) }, "A kind returned a result that cannot be stored");
        what = { action: "fail", error: faultOf(error) };
      }
    }
  }
}

/** Rejects at a shutdown, so that code which ignores its signal cannot hold the server. */
function shutdownOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const leave = () => {
      if (signal.reason === SHUTDOWN) reject(new Error(SHUTDOWN));
    };
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
  });
}

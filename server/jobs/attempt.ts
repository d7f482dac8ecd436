/** One attempt at one job: starts it, runs its kind, and says in the record how it ended. */
import type { Logger } from "pino";
import type { Claim, Engine } from "#server/engine/contract.ts";
import { type AnyKind, Failure, type Outcome, Transient } from "#server/kinds/define.ts";
import { AppError, messageOf } from "#shared/errors.ts";
import type { JobSummary } from "#shared/job.ts";
import type { JobChange } from "#shared/lifecycle.ts";
import { createDraftWriter } from "./draft-writer.ts";

/** Why a running job's signal is aborted. */
export const LOST = "lost";
export const SHUTDOWN = "shutdown";

export interface AttemptPolicy {
  /** Starts that a job may have before a crash or a transient error is final; `requeued` counts anew. */
  maxAttempts: number;
  now: () => Date;
  /** 0 <= x < 1, for the jitter of the backoff. */
  random: () => number;
}

interface AttemptContext extends AttemptPolicy {
  engine: Pick<Engine, "change" | "appendDraft">;
  kinds: ReadonlyMap<string, AnyKind>;
  log: Logger;
}

const FIRST_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 60_000;
/** A server that asks for more patience than this is not waited for any longer. */
const MAX_RETRY_AFTER_MS = 60 * 60_000;

/** Rejects only when the engine cannot store how the attempt ended. */
export async function attempt(
  claim: Claim,
  signal: AbortSignal,
  context: AttemptContext,
): Promise<void> {
  const { job } = claim;
  const change = (what: JobChange) => context.engine.change(job.id, what, context.now(), claim);
  try {
    // Still PROCESSING: whoever held it died.
    await change(
      job.status === "PROCESSING" ? afterCrash(job, context) : await run(claim, signal, context),
    );
  } catch (error) {
    if (!isOver(error)) throw error;
  }
}

/** Runs the kind, and returns the change that ends the attempt. */
async function run(claim: Claim, signal: AbortSignal, context: AttemptContext): Promise<JobChange> {
  const { job } = claim;
  const { engine, log, now } = context;
  const kind = context.kinds.get(job.kind);
  const start = kind?.start ?? { progress: 0, message: "Job started" };
  const started = await engine.change(job.id, { action: "start", ...start }, now(), claim);
  const draft = createDraftWriter((text) => engine.appendDraft(claim, text));
  try {
    if (kind === undefined) {
      throw new Failure("UNKNOWN_KIND", `This server does not know the kind "${job.kind}"`);
    }
    const outcome = await kind.run({
      jobId: job.id,
      input: job.input,
      attempt: started.job.attempt,
      signal,
      async progress(percent, message) {
        const progress = Math.min(100, Math.max(0, Math.round(percent)));
        await engine.change(job.id, { action: "progress", progress, message }, now(), claim);
      },
      draft: (text) => draft.write(text),
    });
    await draft.flush();
    return ending(outcome);
  } catch (error) {
    if (isOver(error) || signal.reason === LOST) throw lost(error);
    await draft.flush().catch(() => {});
    return failed(error, signal, started.job, context, log);
  }
}

function ending(outcome: Outcome<unknown>): JobChange {
  const { message, output } = outcome;
  return outcome.status === "delivered"
    ? { action: "deliver", message, output }
    : { action: "block", message, output };
}

function failed(
  error: unknown,
  signal: AbortSignal,
  job: JobSummary,
  context: AttemptContext,
  log: Logger,
): JobChange {
  const { now } = context;
  if (signal.reason === SHUTDOWN) {
    const message = "Job given back - The server is restarting";
    return { action: "release", message, runAt: now(), counts: false };
  }
  if (error instanceof Transient && mayRetry(job, context)) {
    const wait = waitFor(error, job, context.random);
    const message = `${error.message} - Trying again in ${Math.ceil(wait / 1000)} s`;
    return { action: "release", message, runAt: new Date(now().getTime() + wait), counts: true };
  }
  if (error instanceof Failure) {
    return { action: "fail", error: { code: error.code, message: error.message } };
  }
  log.error({ err: error }, "A kind failed in a way it does not know itself");
  return { action: "fail", error: { code: "KIND_FAILED", message: messageOf(error) } };
}

function afterCrash(job: JobSummary, context: AttemptContext): JobChange {
  if (mayRetry(job, context)) {
    const message = "Job given back - Its runner stopped unexpectedly";
    return { action: "release", message, runAt: context.now(), counts: true };
  }
  const message = `Its runner stopped unexpectedly in each of ${context.maxAttempts} attempts`;
  return { action: "fail", error: { code: "CRASHED", message } };
}

function mayRetry(job: JobSummary, { maxAttempts }: AttemptPolicy): boolean {
  return job.retries + 1 < maxAttempts;
}

/** Exponential backoff with jitter (half to whole), so that jobs which failed together do not return together. */
function waitFor(error: Transient, job: JobSummary, random: () => number): number {
  if (error.retryAfterMs !== undefined) return Math.min(error.retryAfterMs, MAX_RETRY_AFTER_MS);
  const most = Math.min(FIRST_BACKOFF_MS * 2 ** job.retries, MAX_BACKOFF_MS);
  return Math.round(most * (0.5 + random() / 2));
}

/** The job is not ours any more: somebody else has said what became of it. */
function isOver(error: unknown): boolean {
  return error instanceof AppError && ["CLAIM_LOST", "NOT_FOUND"].includes(error.code);
}

function lost(cause: unknown): AppError {
  return new AppError("CLAIM_LOST", "The job went to somebody else.", { cause });
}

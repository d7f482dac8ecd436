/**
 * One attempt at one job that was claimed: runs its kind, and says in the record how it ended.
 *
 * Only the engine's word counts for whose job it is. Where it refuses the claim, the attempt is over: the code is
 * told to stop, and nothing more is written.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { Claim, Engine } from "#server/engine/contract.ts";
import { type AnyKind, Failure, type Outcome } from "#server/kinds/define.ts";
import { AppError } from "#shared/errors.ts";
import type { JobChange } from "#shared/lifecycle.ts";
import { createAttemptLog } from "./attempt-log.ts";
import { createDraftWriter } from "./draft-writer.ts";
import {
  afterCrash,
  afterError,
  type Ending,
  faultOf,
  isFault,
  isUnavailable,
  type RetryPolicy,
} from "./retry.ts";

/** Why a running job's signal is aborted. */
export const LOST = "lost";
export const SHUTDOWN = "shutdown";

export interface AttemptPolicy extends RetryPolicy {
  now: () => Date;
  /** How long to wait before the end of an attempt, which could not be stored, is tried again. */
  storeAgainMs?: number;
}

interface AttemptContext extends AttemptPolicy {
  engine: Pick<Engine, "change" | "appendDraft">;
  kinds: ReadonlyMap<string, AnyKind>;
  log: Logger;
  /** No code is to be told anything any more: what is left is to store how the attempt ended. */
  returned: () => void;
}

const STORE_AGAIN_MS = 1000;

/**
 * Resolves when the record says how the attempt ended and the code has returned, to that end; after `SHUTDOWN` it does
 * not wait for the code. `undefined`: somebody else said what became of the job.
 * Rejects when the end could not be stored: then the lease runs out, and the job is found again.
 */
export async function attempt(
  claim: Claim,
  controller: AbortController,
  context: AttemptContext,
): Promise<Ending | undefined> {
  const { job } = claim;
  const { engine, now } = context;
  const { signal } = controller;
  const mine = guard(controller);
  const change = (what: JobChange) => mine(engine.change(job.id, what, now(), claim));
  const log = createAttemptLog(context.log, job, now);
  try {
    if (claim.started === null) {
      const end = afterCrash(job, context, now());
      await change(end);
      log.ended(end);
      return end;
    }
    log.started();
    const outcome = await run(claim, controller, context);
    context.returned();
    const end = await store(outcome, change, signal, context);
    log.ended(end);
    return end;
  } catch (error) {
    if (signal.reason !== LOST && !isOver(error)) throw error;
    log.lost();
    return undefined;
  }
}

/** Runs the kind, and returns the change that ends the attempt. */
async function run(
  claim: Claim,
  controller: AbortController,
  context: AttemptContext,
): Promise<Ending> {
  const { job } = claim;
  const { engine, log, now } = context;
  const { signal } = controller;
  const kind = context.kinds.get(job.kind);
  const mine = guard(controller);
  const draft = createDraftWriter((text) => mine(engine.appendDraft(claim, text)));
  try {
    if (kind === undefined) {
      throw new Failure("UNKNOWN_KIND", `This server does not know the kind "${job.kind}"`);
    }
    const work = kind.run({
      jobId: job.id,
      input: job.input,
      attempt: job.attempt,
      signal,
      progress(percent, message) {
        const step: JobChange = { action: "progress", progress: wholePercent(percent), message };
        return mayBeLeftAlone(mine(engine.change(job.id, step, now(), claim)).then(() => {}));
      },
      draft: (text) => mayBeLeftAlone(draft.write(text)),
    });
    const outcome = await Promise.race([work, shutdownOf(signal)]);
    await draft.flush();
    return ending(outcome);
  } catch (error) {
    if (signal.reason === LOST) throw error;
    // People see what was written before it failed; where that cannot be stored, `error` says more.
    await draft.flush().catch(() => {});
    if (signal.reason === SHUTDOWN) {
      const message = "Job given back - The server is restarting";
      return { action: "release", message, runAt: now(), counts: false };
    }
    if (isFault(error)) log.error({ err: error }, "A kind failed in a way it does not know itself");
    if (isUnavailable(error)) log.warn({ reason: error.message }, "Progress could not be stored");
    return afterError(error, job, context, now());
  }
}

/** Stores how the attempt ended, and returns what was stored. The work is done: a full disk may delay its result, but not undo it. */
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
        log.warn({ reason: error.message }, "The end of an attempt could not be stored yet");
        await delay(storeAgainMs, undefined, { signal }).catch(() => {});
      } else if (what.action === "fail") {
        throw error;
      } else {
        log.error({ err: error }, "A kind gave a result that cannot be stored");
        what = { action: "fail", error: faultOf(error) };
      }
    }
  }
}

function ending({ status, message, output }: Outcome<unknown>): Ending {
  return { action: status === "delivered" ? "deliver" : "block", message, output };
}

/** Percent as the record has it. What is no number moves nothing: progress never falls. */
function wholePercent(percent: number): number {
  return Math.min(100, Math.max(0, Math.round(percent) || 0));
}

/** Passes on what the engine answers; where the job is not ours any more, the code is told to stop. */
function guard(controller: AbortController) {
  return async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      if (isOver(error)) controller.abort(LOST);
      throw error;
    }
  };
}

/** The job is not ours any more: somebody else has said what became of it. */
function isOver(error: unknown): boolean {
  return error instanceof AppError && ["CLAIM_LOST", "NOT_FOUND"].includes(error.code);
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

/** A kind that does not wait for an answer must not bring down the process when it is a refusal. */
function mayBeLeftAlone<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => {});
  return answer;
}

/**
 * The code of a kind in one attempt. Errors that it throws outside of `run` are reported, and do not end the process.
 */
import type { Logger } from "pino";
import type { AnyKind } from "#server/kinds/define.ts";
import { asError } from "#shared/errors.ts";
import type { Job } from "#shared/job.ts";
import { runForeign } from "./foreign-code.ts";
import type { Reports } from "./reports.ts";

export interface KindCode {
  /** The value that `run` returned. Rejects with the one that it threw. */
  readonly result: Promise<unknown>;
  /** Resolves when `run` returned or threw, or did not stop in time. */
  readonly over: Promise<void>;
  running(): boolean;
  /** Aborts the code's signal. */
  stop(reason: unknown): void;
}

interface CodeOptions {
  kind: AnyKind;
  job: Job;
  reports: Reports;
  /** Stops the code when it is aborted. */
  signal: AbortSignal;
  /** Of the attempt. */
  traceparent: string | undefined;
  log: Logger;
  /** How long the code may take to stop before it is given up and `gaveUp` is called. It is not killed. */
  stopMs: number;
  gaveUp: () => void;
  onStray: (error: unknown) => void;
}

/** Logged errors of one attempt: a timer of a kind can throw without end. */
const LOGGED_STRAYS = 10;

export function startCode({
  kind,
  job: { id: jobId, input, attempt },
  reports: { progress, draft, log: line },
  signal,
  traceparent,
  log,
  stopMs,
  gaveUp,
  onStray,
}: CodeOptions): KindCode {
  const over = Promise.withResolvers<void>();
  let strays = 0;
  let running = true;

  function stray(error: unknown): void {
    strays += 1;
    if (strays <= LOGGED_STRAYS) {
      log.error({ err: asError(error) }, "A kind threw an error outside of `run`");
    }
    onStray(error);
  }

  // A signal of its own, because listeners run in the context of the code that aborts: theirs is the kind's.
  const own = new AbortController();
  function stop(reason: unknown): void {
    if (!running || own.signal.aborted) return;
    const timer = setTimeout(() => {
      log.warn(`A job's code was aborted, and still runs after ${stopMs / 1000} s`);
      gaveUp();
      over.resolve();
    }, stopMs).unref();
    void over.promise.then(() => clearTimeout(timer));
    runForeign(stray, () => own.abort(reason));
  }

  // In an async function, so that a thenable that the code returns is called within its scope as well.
  const result = runForeign(stray, async () =>
    kind.run({
      jobId,
      input,
      attempt,
      signal: own.signal,
      traceparent,
      progress,
      draft,
      log: line,
    }),
  );
  const end = () => {
    running = false;
    over.resolve();
  };
  result.then(end, end);
  if (signal.aborted) stop(signal.reason);
  else signal.addEventListener("abort", () => stop(signal.reason), { once: true });
  return { result, over: over.promise, running: () => running, stop };
}

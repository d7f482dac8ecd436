"use client";
import type { Failed } from "#client/lib/failure.ts";
import { applyLogFrames, type LogFrame, type LogLine } from "#shared/log-line.ts";
import { useProvided } from "./context.tsx";
import { jobwireKeys } from "./query-keys.ts";
import type { Id } from "./query-options.ts";
import { type Handlers, useStream } from "./use-stream.ts";

export interface JobLogs {
  /** The newest lines of all attempts that the job has, oldest first. */
  lines: readonly LogLine[];
  /** `FORBIDDEN` and `NOT_FOUND`: the caller may not read them. */
  error: Failed | null;
}

const NO_LINES: readonly LogLine[] = [];

/** The lines that a job's kind has logged. The hook stays subscribed after the job has settled, as `useJob` does. */
export function useJobLogs(id: Id): JobLogs {
  const { trpc } = useProvided().client;
  const jobId = typeof id === "string" ? id : undefined;
  const { state, error } = useStream<readonly LogLine[], LogFrame>({
    key: [...jobwireKeys.job(jobId ?? ""), "logs"],
    initial: NO_LINES,
    reduce: applyLogFrames,
    source: jobId,
    open: (handlers: Handlers<LogFrame>, known) =>
      trpc.job.onLog.subscribe(
        { jobId: jobId ?? "", lastEventId: String(known.at(-1)?.seq ?? 0), follow: true },
        { onData: ({ data }) => handlers.onData(data), onError: handlers.onError },
      ),
  });
  return { lines: state, error: error ?? null };
}

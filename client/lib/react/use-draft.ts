"use client";
import { type Draft, mergeDraft } from "#client/lib/merge.ts";
import type { DraftFrame } from "#shared/events.ts";
import { useProvided } from "./context.tsx";
import type { Id } from "./query-options.ts";
import { type Handlers, useStream } from "./use-stream.ts";

const NO_DRAFT: Draft = { attempt: 0, text: "" };

/** The draft so far. A change of `attempt` restarts the draft; pass it to watch the next attempt. */
export function useDraft(id: Id, attempt: number): Draft {
  return useDraftOf(id, attempt);
}

/** `readAt`: when the job was last read. */
export function useDraftOf(id: Id, attempt: number, readAt?: number): Draft {
  const { trpc } = useProvided().client;
  const jobId = typeof id === "string" ? id : undefined;
  return useStream({
    key: ["draft", jobId ?? "", `${attempt}`],
    initial: NO_DRAFT,
    reduce: mergeDraft,
    source: jobId,
    ...(readAt !== undefined && { readAt }),
    open: (handlers: Handlers<DraftFrame>) =>
      trpc.job.onOutput.subscribe(
        { jobId: jobId ?? "" },
        { onData: ({ data }) => handlers.onData(data), onError: handlers.onError },
      ),
  }).state;
}

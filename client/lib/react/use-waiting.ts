"use client";
import { useQuery } from "@tanstack/react-query";
import type { Job } from "#shared/job.ts";
import type { JobWaiting } from "#shared/waiting.ts";
import { useProvided } from "./context.tsx";
import { waitingOptions } from "./query-options.ts";

/**
 * Why a job waits, read every few seconds while it does and the page is visible. `null`: it does not wait, or that is not known
 * yet. There is no subscription to it: it changes with other jobs.
 */
export function useWaiting(
  job: Pick<Job, "id" | "status" | "version"> | undefined,
): JobWaiting | null {
  const { client } = useProvided();
  const waits = job?.status === "PENDING";
  const read = waitingOptions(client, job?.id ?? "", job?.version ?? 0);
  const { data = null } = useQuery({ ...read, enabled: waits });
  return waits ? data : null;
}

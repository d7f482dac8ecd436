"use client";
import {
  useMutation,
  type UseMutationOptions,
  type UseMutationResult,
} from "@tanstack/react-query";
import { useRef } from "react";
import { isFinal, waitAfter } from "#client/lib/failure.ts";
import { CreationKeys } from "#client/lib/creation-keys.ts";
import type { JobHandle } from "#client/lib/job-handle.ts";
import type { KindClient } from "#client/lib/kinds-client.ts";
import type { KindTypes } from "#shared/kind-types.ts";

const MAX_RETRIES = 3;

/**
 * Creates a job of a kind: `mutate(input)`. Until an input's job is created, each further attempt with that input has the same
 * idempotency key, by `retry` or by another submit, so there is one job. Afterwards the same input means another job.
 */
export function useCreateJob<Types extends KindTypes>(
  kind: KindClient<Types>,
  options: Omit<UseMutationOptions<JobHandle<Types>, Error, Types["input"]>, "mutationFn"> = {},
): UseMutationResult<JobHandle<Types>, Error, Types["input"]> {
  const ref = useRef<CreationKeys>(undefined);
  const keys = (ref.current ??= new CreationKeys());
  return useMutation({
    retry: (failures, error) => failures < MAX_RETRIES && !isFinal(error),
    retryDelay: (failures, error) => waitAfter(error, failures),
    ...options,
    mutationFn: (input) =>
      keys.use(input, (idempotencyKey) => kind.create(input, { idempotencyKey })),
  });
}

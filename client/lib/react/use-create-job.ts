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
import type { CreateOptions } from "#shared/api-inputs.ts";
import type { KindTypes } from "#shared/kind-types.ts";

const MAX_RETRIES = 3;

export type CreateJobOptions<Types extends KindTypes> = Omit<
  UseMutationOptions<JobHandle<Types>, Error, Types["input"]>,
  "mutationFn"
> & {
  /** Options of the job, or what makes them of its input when it is sent. */
  job?: CreateOptions | ((input: Types["input"]) => CreateOptions) | undefined;
};

/**
 * Creates a job of a kind: `mutate(input)`. Until an input's job is created, each further attempt with that input has the same
 * idempotency key, by `retry` or by another submit, so there is one job. Afterwards the same input means another job. A `debounce`,
 * or an `idempotencyKey` of the caller's own, takes the place of that key.
 */
export function useCreateJob<Types extends KindTypes>(
  kind: KindClient<Types>,
  { job: of, ...options }: CreateJobOptions<Types> = {},
): UseMutationResult<JobHandle<Types>, Error, Types["input"]> {
  const ref = useRef<CreationKeys>(undefined);
  const keys = (ref.current ??= new CreationKeys());
  return useMutation({
    retry: (failures, error) => failures < MAX_RETRIES && !isFinal(error),
    retryDelay: (failures, error) => waitAfter(error, failures),
    ...options,
    mutationFn(input) {
      const given = typeof of === "function" ? of(input) : of;
      if (given?.debounce !== undefined || given?.idempotencyKey !== undefined) {
        return kind.create(input, given);
      }
      return keys.use(input, (idempotencyKey) => kind.create(input, { ...given, idempotencyKey }));
    },
  });
}

/** Options of new jobs: their bounds in requests, and the fields of a job that they become. */
import { z } from "zod";
import type { QueueOptions as Options } from "#shared/create-options.ts";
import { AppError } from "#shared/errors.ts";
import type { NewJob } from "#shared/lifecycle.ts";
import {
  MAX_DEBOUNCE_KEY_CHARS,
  MAX_JOB_ATTEMPTS,
  MAX_PRIORITY,
  MAX_START_DELAY_MS,
} from "#shared/limits.ts";
import { TimeSchema } from "#shared/time.schema.ts";
import { Key, Text } from "./inputs.ts";

const Span = z.int().min(1).max(MAX_START_DELAY_MS);

/** Of a whole batch. */
export const QueueOptions = z.object({
  priority: z.int().min(0).max(MAX_PRIORITY).optional(),
  delayMs: z.int().min(0).max(MAX_START_DELAY_MS).optional(),
  runAt: TimeSchema.optional(),
  expiresInMs: Span.optional(),
  maxAttempts: z.int().min(1).max(MAX_JOB_ATTEMPTS).optional(),
});

const Debounce = z
  .object({
    key: Text.min(1).max(MAX_DEBOUNCE_KEY_CHARS),
    windowMs: Span,
    maxWaitMs: Span.optional(),
  })
  .refine(({ windowMs, maxWaitMs = windowMs }) => maxWaitMs >= windowMs, {
    path: ["maxWaitMs"],
    message: "It must not be shorter than windowMs.",
  });

export const CreateOptions = QueueOptions.extend({
  idempotencyKey: Key,
  debounce: Debounce.optional(),
});

/** `delayMs` and `runAt` say the same. */
export const oneStart = z.refine<z.infer<typeof QueueOptions>>(
  ({ delayMs, runAt }) => delayMs === undefined || runAt === undefined,
  { path: ["runAt"], message: "Send either delayMs or runAt." },
);

export const debouncedAlone = z.refine<z.infer<typeof CreateOptions>>(
  ({ debounce, delayMs, runAt, idempotencyKey }) =>
    debounce === undefined || [delayMs, runAt, idempotencyKey].every((each) => each === undefined),
  { path: ["debounce"], message: "Send it without delayMs, runAt and idempotencyKey." },
);

/** Throws `BAD_REQUEST` where `runAt` is too far. */
export function fieldsOf(
  { delayMs = 0, runAt, expiresInMs, maxAttempts }: Options,
  now: Date,
): Pick<NewJob, "startsAt" | "expiresInMs" | "maxAttempts"> {
  const startsAt = runAt === undefined ? new Date(now.getTime() + delayMs) : new Date(runAt);
  if (startsAt.getTime() - now.getTime() > MAX_START_DELAY_MS) {
    const days = MAX_START_DELAY_MS / 86_400_000;
    throw new AppError(
      "BAD_REQUEST",
      `The time \`runAt\` must not be later than in ${days} days (MAX_START_DELAY_MS).`,
    );
  }
  return { startsAt: startsAt > now ? startsAt : undefined, expiresInMs, maxAttempts };
}

/** The fields of a new job that its options become. */
import type { QueueOptions } from "#shared/create-options.ts";
import { AppError } from "#shared/errors.ts";
import type { NewJob } from "#shared/lifecycle.ts";
import { MAX_START_DELAY_MS } from "#shared/limits.ts";

/** Throws `BAD_REQUEST` where `runAt` is too far. */
export function fieldsOf(
  { delayMs = 0, runAt, expiresInMs, maxAttempts }: QueueOptions,
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

/**
 * Repeats a read until the data is available. A watcher asks once, and some clients never ask again, so the server retries
 * for them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "#shared/errors.ts";

/** Retries come after half to one and a half of it, so that waiting watchers do not return together. */
const RETRY_MS = 1000;

/** Rejects with any other error at once, and with `UNAVAILABLE` once `isWanted` is false. */
export async function retryWhileUnavailable<T>(
  read: () => Promise<T>,
  isWanted: () => boolean,
): Promise<T> {
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!isWanted() || !isUnavailable(error)) throw error;
      await delay(RETRY_MS * (0.5 + Math.random()), undefined, { ref: false });
      if (!isWanted()) throw error;
    }
  }
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === "UNAVAILABLE";
}

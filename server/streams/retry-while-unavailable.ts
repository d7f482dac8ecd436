/**
 * The data may be out of reach for a while. Whoever watches asked once, and some clients never ask again: so it is tried
 * on for them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "#shared/errors.ts";

/** Half to one and a half of it passes between: those who wait do not come back together. */
const TRY_AGAIN_MS = 1000;

/** Reads as soon as that is possible. Rejects with whatever does not pass, and where nobody wants it any more. */
export async function whenReadable<T>(read: () => Promise<T>, isWanted: () => boolean): Promise<T> {
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!isWanted() || !isUnreadable(error)) throw error;
      await delay(TRY_AGAIN_MS * (0.5 + Math.random()), undefined, { ref: false });
      if (!isWanted()) throw error;
    }
  }
}

/** It is over when the data are there again. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof AppError && error.code === "UNAVAILABLE";
}

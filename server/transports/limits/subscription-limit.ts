/** Bounds the subscriptions of one connection, on every transport. */
import { AppError } from "#shared/errors.ts";

export const MAX_SUBSCRIPTIONS = 1000;

export function tooManySubscriptions(): AppError {
  return new AppError(
    "BAD_REQUEST",
    `This connection has ${MAX_SUBSCRIPTIONS} subscriptions already. Unsubscribe from some, or open another.`,
  );
}

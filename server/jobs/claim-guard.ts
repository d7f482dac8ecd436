/** Notices that a claim is lost, by the answers of the engine. */
import { AppError } from "#shared/errors.ts";

/** The reason with which the signal of a job is aborted whose claim is lost. */
export const LOST = "lost";

/** Passes on the answer of the engine; aborts the code when the claim is lost. */
export function guard(controller: AbortController, onRefusal?: (error: Error) => void) {
  return async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof Error) onRefusal?.(error);
      if (isOver(error)) controller.abort(LOST);
      throw error;
    }
  };
}

/** The claim is lost: the job was cancelled or deleted, or another runner has it. */
export function isOver(error: unknown): boolean {
  return error instanceof AppError && ["CLAIM_LOST", "NOT_FOUND"].includes(error.code);
}

/** Bounds the total cost of the calls of one HTTP batch. A WebSocket bounds its requests itself (`ws-intake.ts`). */
import { setImmediate as nextTurn } from "node:timers/promises";
import { TRPCError } from "@trpc/server";
import { serializeOutput } from "./output-envelope.ts";

/** Calls in one batch: an HTTP request, or a list in one WebSocket message. */
export const MAX_BATCH_CALLS = 500;
/** Calls of a batch that run at the same time. */
const MAX_AT_A_TIME = 16;
/** UTF-16 units of JSON in all answers of a batch. The answer of a single call may be longer. */
const MAX_ANSWER_LENGTH = 4 * 1024 * 1024;

export function tooManyCalls(): TRPCError {
  return new TRPCError({
    code: "BAD_REQUEST",
    message: `A batch holds at most ${MAX_BATCH_CALLS} calls. Send the others in further batches.`,
  });
}

export class Batch {
  #running = 0;
  #length = 0;
  readonly #waiting: (() => void)[] = [];

  /**
   * Runs a call when a slot is free. Rejects with `PAYLOAD_TOO_LARGE`, without running it, once earlier answers fill the
   * batch; a query also rejects if its own answer no longer fits.
   */
  async run<T extends { data: unknown }>(
    type: "query" | "mutation",
    call: () => Promise<T>,
  ): Promise<T> {
    if (this.#running >= MAX_AT_A_TIME) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      // Other connections run between the calls of one batch.
      await nextTurn();
      if (this.#length >= MAX_ANSWER_LENGTH) throw tooLarge();
      const result = await call();
      // Throws if the answer does not serialise, so that only this call fails and not the batch.
      const { length } = JSON.stringify(serializeOutput(result.data));
      const fits = this.#length === 0 || this.#length + length <= MAX_ANSWER_LENGTH;
      // A mutation has already taken effect, so its caller always receives the result.
      if (!fits && type === "query") throw tooLarge();
      this.#length += length;
      return result;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

function tooLarge(): TRPCError {
  return new TRPCError({
    code: "PAYLOAD_TOO_LARGE",
    message: `The answers of a batch hold at most ${MAX_ANSWER_LENGTH / 1024 / 1024} MiB together. Ask for less at once, or in further batches.`,
  });
}

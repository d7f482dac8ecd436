/**
 * Inputs come in superjson's envelope, `{"json": …}`. The stock client sees to that; a request written by hand may lack
 * it, and superjson would take the whole input for nothing at all, also where nothing is allowed.
 */
import { TRPCError } from "@trpc/server";
import superjson from "superjson";
import { AnnotationError, applyAnnotations } from "./annotations.ts";
import { serializeOutput } from "./output-envelope.ts";

const BARE =
  'The input has to be in an envelope: send {"json": …} with your input in the place of the dots.';

/** `deserialize` never throws: an input that is refused here could not be answered to its request. */
export const transformer = {
  input: {
    serialize: (input: unknown) => superjson.serialize(input),
    deserialize(given: unknown): unknown {
      if (!isEnvelope(given)) return isNothing(given) ? undefined : refused(BARE);
      try {
        return applyAnnotations(given.json, given.meta);
      } catch (error) {
        if (error instanceof AnnotationError) return refused(error.message);
        throw error;
      }
    },
  },
  output: { serialize: serializeOutput, deserialize: superjson.deserialize },
};

/** Throws `BAD_REQUEST` where the input was refused. */
export function assertEnvelope(input: unknown): void {
  if (typeof input !== "symbol") return;
  throw new TRPCError({ code: "BAD_REQUEST", message: input.description ?? BARE });
}

/** A symbol, because no JSON holds one, and it comes through tRPC's handling of cursors as it is. */
function refused(message: string): symbol {
  return Symbol(message);
}

function isEnvelope(given: unknown): given is { json: unknown; meta?: unknown } {
  return typeof given === "object" && given !== null && Object.hasOwn(given, "json");
}

function isNothing(given: unknown): boolean {
  if (given === undefined || given === null) return true;
  return typeof given === "object" && Object.keys(given).length === 0;
}

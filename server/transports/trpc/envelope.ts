/**
 * Clients send inputs in superjson's envelope, `{"json": …}`. A request written by hand may lack it, and superjson would then
 * read the whole input as `undefined`, which some procedures accept.
 */
import { TRPCError } from "@trpc/server";
import superjson from "superjson";
import { AnnotationError, applyAnnotations } from "./annotations.ts";
import { serializeOutput } from "./output-envelope.ts";

const BARE =
  'The input must be in an envelope: send {"json": …} with your input in place of the dots.';

/** `deserialize` never throws: tRPC could not match an error thrown here to its request. */
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

/** Throws `BAD_REQUEST` if `deserialize` refused the input. */
export function assertEnvelope(input: unknown): void {
  if (typeof input !== "symbol") return;
  throw new TRPCError({ code: "BAD_REQUEST", message: input.description ?? BARE });
}

/** A symbol, because JSON holds none, and tRPC's handling of cursors passes it through unchanged. */
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

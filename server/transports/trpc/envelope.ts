/**
 * Inputs come in superjson's envelope, `{"json": …}`. The stock client sees to that; who writes requests by hand
 * forgets it, and superjson would take the whole input for nothing at all, also where nothing is allowed.
 */
import { TRPCError } from "@trpc/server";
import superjson, { type SuperJSONResult } from "superjson";

/** A symbol, because it comes through tRPC's handling of cursors as it is. */
const BARE = Symbol("an input without its envelope");

/** What is no envelope is told later, by `assertEnvelope`: here it could not be answered to its request. */
export const transformer = {
  input: {
    serialize: (input: unknown) => superjson.serialize(input),
    deserialize(given: unknown): unknown {
      if (isEnvelope(given)) return superjson.deserialize(given);
      return isNothing(given) ? undefined : BARE;
    },
  },
  output: superjson,
};

/** Throws `BAD_REQUEST` where an input came without its envelope. */
export function assertEnvelope(input: unknown): void {
  if (input !== BARE) return;
  throw new TRPCError({
    code: "BAD_REQUEST",
    message:
      'The input has to be in an envelope: send {"json": …} with your input in the place of the dots.',
  });
}

function isEnvelope(given: unknown): given is SuperJSONResult {
  return typeof given === "object" && given !== null && Object.hasOwn(given, "json");
}

function isNothing(given: unknown): boolean {
  if (given === undefined || given === null) return true;
  return typeof given === "object" && Object.keys(given).length === 0;
}

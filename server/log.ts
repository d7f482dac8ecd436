/** The log: JSON lines. Hostile errors cannot break it. */
import { pino, type DestinationStream, type Logger } from "pino";
import { logIds } from "./tracing/log-ids.ts";
import { asError } from "#shared/errors.ts";

/** Writes to `destination`, by default to standard output. Lines that are written within a span have its ids. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  return pino({ level, mixin: logIds, serializers: { err: serializeError } }, destination);
}

/** Foreign code can throw errors whose fields throw. The log must not throw while it reports them. */
function serializeError(error: unknown): object {
  const clean = asError(error);
  return { ...pino.stdSerializers.err(clean), type: clean.name };
}

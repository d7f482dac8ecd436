/** The log: JSON lines, which no error can keep from being written. */
import { pino, type DestinationStream, type Logger } from "pino";
import { asError } from "#shared/errors.ts";

/** To standard output where no `destination` is given. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  return pino({ level, serializers: { err: serializeError } }, destination);
}

/** Foreign code can make errors whose fields throw; a log call that throws would hide them. */
function serializeError(error: unknown): object {
  const clean = asError(error);
  return { ...pino.stdSerializers.err(clean), type: clean.name };
}

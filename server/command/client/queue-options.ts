/** The options of new jobs that decide when they run: `--priority`, `--delay` and their like. */
import type { Command } from "commander";
import { parseDuration, parseEnd } from "#server/command/arguments.ts";
import { UsageError } from "#server/command/usage-error.ts";

export interface QueueArguments {
  priority?: string;
  delay?: string;
  runAt?: string;
  expiresIn?: string;
  attempts?: string;
}

export function addQueueOptions(command: Command): Command {
  return command
    .option("--priority <0-9>", "before those of the same tenant with less")
    .option("--delay <duration>", "start no sooner than in so long: 30s, 15m, 12h")
    .option("--run-at <time>", "start no sooner than at this time: 2027-01-31T18:00:00Z")
    .option("--expires-in <duration>", "abort what has not started by then")
    .option("--attempts <number>", "how often one may be started");
}

/** As the API takes them. The server checks the limits. */
export function queueFieldsOf(given: QueueArguments, now: Date): Record<string, unknown> {
  const { priority, delay, runAt, expiresIn, attempts } = given;
  return {
    ...(priority !== undefined && { priority: wholeOf("--priority", priority) }),
    ...(delay !== undefined && { delayMs: parseDuration("--delay", delay) }),
    ...(runAt !== undefined && { runAt: parseEnd("--run-at", runAt, now).toISOString() }),
    ...(expiresIn !== undefined && { expiresInMs: parseDuration("--expires-in", expiresIn) }),
    ...(attempts !== undefined && { maxAttempts: wholeOf("--attempts", attempts) }),
  };
}

export function wholeOf(option: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError(`${option} must be a whole number, not ${JSON.stringify(text)}.`);
}

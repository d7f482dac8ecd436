/** Ids of jobs and batches, as arguments. */
import { z } from "zod";
import { UsageError } from "#server/command/usage-error.ts";

/** Of one command. Each has a connection. */
export const MAX_IDS = 50;

export function checkIds(given: readonly string[]): string[] {
  if (given.length > MAX_IDS) throw new UsageError(`At most ${MAX_IDS} ids fit one command.`);
  const bad = given.find((id) => !z.uuid().safeParse(id).success);
  if (bad === undefined) return [...new Set(given)];
  throw new UsageError(`${JSON.stringify(bad)} is no id. \`jobwire list\` prints those of jobs.`);
}

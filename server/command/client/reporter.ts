/** Tells of the progress of jobs and batches: as bars at a terminal, as lines in a pipe, as JSON for programs. */
import type { CommandContext, Output } from "#server/command/context.ts";
import type { BatchAggregate } from "#shared/batch.ts";
import type { JobStatus } from "#shared/job.ts";
import { createBars } from "./bars.ts";
import { createLines } from "./lines.ts";

/** The state of a job, as its events have it. */
export interface JobState {
  status: JobStatus;
  progress: number;
  message: string;
}
export type BatchState = Omit<BatchAggregate, "at">;

/** One of those that are watched. `name`: for people. */
export interface Watched {
  id: string;
  name: string;
}

export interface Reporter {
  job(job: Watched, state: JobState): void;
  batch(batch: Watched, state: BatchState): void;
  connection(watched: Watched, state: "lost" | "again"): void;
  /** Nothing comes any more. */
  end(): void;
}

/** `isOne`: one job or batch is watched. */
export function createReporter(
  { stdout, stderr, now }: Pick<CommandContext, "stdout" | "stderr" | "now">,
  { json, isOne }: { json?: true | undefined; isOne: boolean },
): Reporter {
  if (json) return createJson(stdout);
  return stdout.isTTY ? createBars(stdout, now) : createLines(stdout, stderr, isOne);
}

/** An event a line, as the server sent it. */
function createJson(output: Output): Reporter {
  const tell = (_: Watched, state: object) => void output.write(`${JSON.stringify(state)}\n`);
  return { job: tell, batch: tell, connection() {}, end() {} };
}

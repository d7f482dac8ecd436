/** Watches jobs and batches until they have settled, or a person leaves with Ctrl-C. */
import type { CommandContext } from "#server/command/context.ts";
import { Exit, INTERRUPTED } from "#server/command/exit.ts";
import { AppError } from "#shared/errors.ts";
import type { BatchAggregate } from "#shared/batch.ts";
import type { JobSummary } from "#shared/job.ts";
import { pluralize } from "#shared/pluralize.ts";
import type { Api } from "./api.ts";
import { follow } from "./follow.ts";
import { type Outcome, outcomeOfBatch, outcomeOfJob, worst } from "./outcome.ts";
import { createReporter, type JobState, type Reporter, type Watched } from "./reporter.ts";

/** As the API answers it. */
type Job = Pick<JobSummary, "id" | "title" | "kind">;
type Batch = Pick<BatchAggregate, "total"> & { id: string; name: string | null };

export interface Target extends Watched {
  is: "job" | "batch";
}

export const jobTarget = ({ id, title, kind }: Job): Target => ({
  is: "job",
  id,
  name: title === "" ? kind : title,
});
export const batchTarget = ({ id, name, total }: Batch): Target => ({
  is: "batch",
  id,
  name: name ?? `Batch of ${pluralize(total, "job")}`,
});

/** Rejects with `NOT_FOUND` if it is neither a job nor a batch. */
export async function findTarget(api: Api, id: string): Promise<Target> {
  try {
    return jobTarget(await api.call<Job>("GET", `/jobs/${id}`));
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  try {
    return batchTarget(await api.call<Batch>("GET", `/batches/${id}`));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new AppError(
      "NOT_FOUND",
      `There is no job and no batch ${id} that this caller may read.`,
    );
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof AppError && error.code === "NOT_FOUND";
}

/** Throws an `Exit` with the worst of their endings, unless all were delivered. */
export async function watch(
  targets: readonly Target[],
  { api, json }: { api: Api; json?: true | undefined },
  context: CommandContext,
): Promise<void> {
  const leaving = new AbortController();
  let isInterrupted = false;
  const release = context.onInterrupt(() => {
    isInterrupted = true;
    leaving.abort();
  });
  const reporter = createReporter(context, { json, isOne: targets.length === 1 });
  let code: number;
  try {
    const watches = targets.map((target) =>
      watchOne(target, { api, reporter, signal: leaving.signal }),
    );
    code = worst(await Promise.all(watches));
  } finally {
    // Where one fails, the others are left too.
    leaving.abort();
    reporter.end();
    release();
  }
  if (isInterrupted) {
    context.stderr.write(comeBack(targets));
    code = INTERRUPTED;
  }
  if (code !== 0) throw new Exit(code);
}

async function watchOne(
  target: Target,
  { api, reporter, signal }: { api: Api; reporter: Reporter; signal: AbortSignal },
): Promise<Outcome> {
  let outcome: Outcome = 0;
  const isJob = target.is === "job";
  await follow({
    api,
    path: isJob ? `/jobs/${target.id}/events` : `/batches/${target.id}/events`,
    event: target.is,
    signal,
    onEntry(data) {
      if (isJob) {
        const state = data as JobState;
        outcome = outcomeOfJob(state.status);
        reporter.job(target, state);
      } else {
        const state = data as BatchAggregate;
        outcome = outcomeOfBatch(state);
        reporter.batch(target, state);
      }
    },
    onConnection: (state) => reporter.connection(target, state),
  });
  return outcome;
}

function comeBack(targets: readonly Target[]): string {
  const what = targets.length === 1 ? `The ${targets[0]?.is} goes on.` : "They go on.";
  return `${what} Come back with: jobwire watch ${targets.map(({ id }) => id).join(" ")}\n`;
}

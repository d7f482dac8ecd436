/**
 * The procedures of one kind: `kinds.<name>.*`. They do what `job.*` and `batch.create` do, for jobs of this kind alone, so
 * that clients know the types of inputs and outputs.
 */
import type { createInit } from "./init.ts";
import {
  CreateOptions,
  debouncedAlone,
  InputOnly,
  JobFilter,
  jobsOf,
  oneOfOwners,
  oneStart,
  Owners,
  Page,
  QueueOptions,
} from "#server/jobs/inputs.ts";
import { createJobReads } from "./job-reads.ts";

export function createKindRouter(init: ReturnType<typeof createInit>, kind: string) {
  const { router, procedure } = init;
  return router({
    create: procedure
      .input(InputOnly.extend(CreateOptions.shape).check(oneStart, debouncedAlone))
      .mutation(({ ctx, input }) => ctx.jobs.create(ctx.acting(), { ...input, kind })),
    /** A batch. */
    createMany: procedure
      .input(jobsOf(InputOnly).extend(QueueOptions.shape).check(oneStart))
      .mutation(({ ctx, input: { jobs, ...batch } }) =>
        ctx.jobs.createBatch(ctx.acting(), {
          ...batch,
          jobs: jobs.map(({ input }) => ({ kind, input })),
        }),
      ),
    ...createJobReads(init, kind),
    list: procedure
      .input(
        Page.extend(Owners.shape)
          .extend(JobFilter.omit({ kind: true }).shape)
          .check(oneOfOwners)
          .prefault({}),
      )
      .query(({ ctx, input: { cursor, ...query } }) =>
        ctx.jobs.list(ctx.principal(), { ...query, kind, cursor: cursor ?? undefined }),
      ),
  });
}

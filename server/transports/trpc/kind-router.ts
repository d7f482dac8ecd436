/**
 * The procedures of one kind: `kinds.<name>.*`. They do what `job.*` and `batch.create` do, for jobs of this kind alone, so
 * that clients know the types of inputs and outputs.
 */
import { positionOf } from "#shared/cursor.ts";
import type { createInit } from "./init.ts";
import {
  batchOf,
  Follow,
  InputOnly,
  JobFilter,
  JobId,
  Key,
  oneOfOwners,
  Owners,
  Page,
  Resume,
} from "./inputs.ts";
import { relay } from "./relay.ts";

export function createKindRouter(
  { router, procedure }: ReturnType<typeof createInit>,
  kind: string,
) {
  return router({
    create: procedure
      .input(InputOnly.extend({ idempotencyKey: Key }))
      .mutation(({ ctx, input }) => ctx.jobs.create(ctx.acting(), { ...input, kind })),
    /** A batch. */
    createMany: procedure.input(batchOf(InputOnly)).mutation(({ ctx, input: { jobs, ...batch } }) =>
      ctx.jobs.createBatch(ctx.acting(), {
        ...batch,
        jobs: jobs.map(({ input }) => ({ kind, input })),
      }),
    ),
    get: procedure
      .input(JobId)
      .query(({ ctx, input }) => ctx.jobs.get(ctx.principal(), input.jobId, kind)),
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
    onUpdate: procedure
      .input(JobId.extend(Resume.shape).extend(Follow.shape))
      .subscription(({ ctx, input: { jobId, lastEventId, follow }, signal }) =>
        relay(
          () =>
            ctx.streams.job(ctx.principal(), jobId, {
              kind,
              after: positionOf(lastEventId ?? undefined),
              follow,
              signal: ctx.untilExpired(signal),
            }),
          ctx,
        ),
      ),
    onOutput: procedure
      .input(JobId.extend(Resume.shape))
      .subscription(({ ctx, input: { jobId, lastEventId }, signal }) =>
        relay(
          () =>
            ctx.streams.draft(ctx.principal(), jobId, {
              kind,
              after: positionOf(lastEventId ?? undefined),
              signal: ctx.untilExpired(signal),
            }),
          ctx,
        ),
      ),
  });
}

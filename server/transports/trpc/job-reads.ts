/** The procedures that read and watch one job: of any kind, or of one kind alone. */
import { positionOf } from "#shared/cursor.ts";
import type { createInit } from "./init.ts";
import { Follow, JobId, Resume } from "#server/jobs/inputs.ts";
import { relay } from "./relay.ts";

/** With `kind`, a job of another kind is not found. */
export function createJobReads({ procedure }: ReturnType<typeof createInit>, kind?: string) {
  return {
    get: procedure
      .input(JobId)
      .query(({ ctx, input }) => ctx.jobs.get(ctx.principal(), input.jobId, kind)),
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
  };
}

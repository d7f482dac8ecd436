/** The procedures of workers and pauses. */
import { PauseScope, ToPause, WorkerId, WorkersQuery } from "#server/jobs/inputs.ts";
import { auditActorOf } from "#shared/audit.ts";
import type { createInit } from "./init.ts";

export function createOperatorProcedures({ procedure }: ReturnType<typeof createInit>) {
  return {
    worker: {
      list: procedure
        .input(WorkersQuery.prefault({}))
        .query(({ ctx, input: { cursor, limit } }) =>
          ctx.workers.list({ limit, cursor: cursor ?? undefined }),
        ),
      drain: procedure
        .input(WorkerId)
        .mutation(({ ctx, input }) =>
          ctx.workers.drain(input.workerId, auditActorOf(ctx.acting())),
        ),
      resume: procedure
        .input(WorkerId)
        .mutation(({ ctx, input }) =>
          ctx.workers.resume(input.workerId, auditActorOf(ctx.acting())),
        ),
    },
    pause: {
      list: procedure.query(({ ctx }) => ctx.pauses.list(ctx.principal())),
      set: procedure
        .input(ToPause.prefault({}))
        .mutation(({ ctx, input }) => ctx.pauses.set(ctx.acting(), input)),
      remove: procedure
        .input(PauseScope.prefault({}))
        .mutation(({ ctx, input }) => ctx.pauses.remove(ctx.acting(), input)),
    },
  };
}

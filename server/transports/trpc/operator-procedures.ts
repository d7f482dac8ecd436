/** The procedures of workers and pauses. */
import { z } from "zod";
import { Page, Text } from "#server/jobs/inputs.ts";
import { auditActorOf } from "#shared/audit.ts";
import {
  MAX_PAGE_WORKERS,
  MAX_PAUSE_NOTE_CHARS,
  MAX_PRINCIPAL_CHARS,
  MAX_WORKER_ID_CHARS,
} from "#shared/limits.ts";
import type { createInit } from "./init.ts";

const WorkerId = z.object({ workerId: Text.min(1).max(MAX_WORKER_ID_CHARS) });
const Workers = Page.extend({ limit: z.int().min(1).max(MAX_PAGE_WORKERS).default(50) });
/** Strict: a field that is left out of a scope would widen it to everything. */
const Scope = z.strictObject({ tenant: Text.min(1).max(MAX_PRINCIPAL_CHARS).optional() });
const ToPause = Scope.extend({ note: Text.trim().max(MAX_PAUSE_NOTE_CHARS).optional() });

export function createOperatorProcedures({ procedure }: ReturnType<typeof createInit>) {
  return {
    worker: {
      list: procedure
        .input(Workers.prefault({}))
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
        .input(Scope.prefault({}))
        .mutation(({ ctx, input }) => ctx.pauses.remove(ctx.acting(), input)),
    },
  };
}

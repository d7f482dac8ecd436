/** The procedures of schedules. */
import { SchedulesQuery } from "#server/jobs/inputs.ts";
import { ScheduleId, ScheduleToUpsert } from "#server/schedules/inputs.ts";
import type { createInit } from "./init.ts";

export function createScheduleProcedures({ procedure }: ReturnType<typeof createInit>) {
  return {
    upsert: procedure
      .input(ScheduleToUpsert)
      .mutation(({ ctx, input }) => ctx.schedules.upsert(ctx.acting(), input)),
    list: procedure
      .input(SchedulesQuery.prefault({}))
      .query(({ ctx, input: { cursor, ...query } }) =>
        ctx.schedules.list(ctx.principal(), { ...query, cursor: cursor ?? undefined }),
      ),
    get: procedure
      .input(ScheduleId)
      .query(({ ctx, input }) => ctx.schedules.get(ctx.principal(), input.scheduleId)),
    pause: procedure
      .input(ScheduleId)
      .mutation(({ ctx, input }) => ctx.schedules.pause(ctx.acting(), input.scheduleId)),
    resume: procedure
      .input(ScheduleId)
      .mutation(({ ctx, input }) => ctx.schedules.resume(ctx.acting(), input.scheduleId)),
    trigger: procedure
      .input(ScheduleId)
      .mutation(({ ctx, input }) => ctx.schedules.trigger(ctx.acting(), input.scheduleId)),
    delete: procedure
      .input(ScheduleId)
      .mutation(({ ctx, input }) => ctx.schedules.delete(ctx.acting(), input.scheduleId)),
  };
}

/** Schedules. */
import { SchedulesQuery } from "#server/jobs/inputs.ts";
import { ScheduleId, ScheduleToUpsert } from "#server/schedules/inputs.ts";
import { ANSWERS } from "./answers.ts";
import { type Route, route } from "./route.ts";

const change = (action: "pause" | "resume", summary: string): Route =>
  route({
    method: "POST",
    path: `/schedules/{scheduleId}/${action}`,
    operationId: `${action}Schedule`,
    summary,
    tag: "Schedules",
    answer: {
      procedure: `schedule.${action}`,
      input: ScheduleId,
      status: 200,
      output: ANSWERS.Schedule,
      run: ({ acting, context }, { scheduleId }) => context.schedules[action](acting, scheduleId),
    },
  });

export const SCHEDULE_ROUTES: readonly Route[] = [
  route({
    method: "POST",
    path: "/schedules",
    operationId: "upsertSchedule",
    summary: "Store a schedule under its key, in the place of the one that is there",
    tag: "Schedules",
    answer: {
      procedure: "schedule.upsert",
      input: ScheduleToUpsert,
      status: 200,
      output: ANSWERS.Schedule,
      run: ({ acting, context }, input) => context.schedules.upsert(acting, input),
      ofKinds: "schedule",
    },
  }),
  route({
    method: "GET",
    path: "/schedules",
    operationId: "listSchedules",
    summary: "List schedules, newest first",
    tag: "Schedules",
    answer: {
      procedure: "schedule.list",
      input: SchedulesQuery,
      status: 200,
      output: ANSWERS.SchedulePage,
      run: ({ principal, context }, { cursor, ...query }) =>
        context.schedules.list(principal, { ...query, cursor: cursor ?? undefined }),
    },
  }),
  route({
    method: "GET",
    path: "/schedules/{scheduleId}",
    operationId: "getSchedule",
    summary: "Read a schedule, with its next times",
    tag: "Schedules",
    answer: {
      procedure: "schedule.get",
      input: ScheduleId,
      status: 200,
      output: ANSWERS.ScheduleDetails,
      run: ({ principal, context }, { scheduleId }) => context.schedules.get(principal, scheduleId),
    },
  }),
  change("pause", "Create no jobs of a schedule until it is resumed"),
  change("resume", "Resume a schedule"),
  route({
    method: "POST",
    path: "/schedules/{scheduleId}/trigger",
    operationId: "triggerSchedule",
    summary: "Create a job of a schedule now",
    tag: "Schedules",
    answer: {
      procedure: "schedule.trigger",
      input: ScheduleId,
      status: 201,
      output: ANSWERS.Job,
      run: ({ acting, context }, { scheduleId }) => context.schedules.trigger(acting, scheduleId),
      location: ({ id }) => `/jobs/${id}`,
    },
  }),
  route({
    method: "DELETE",
    path: "/schedules/{scheduleId}",
    operationId: "deleteSchedule",
    summary: "Delete a schedule; its jobs stay",
    tag: "Schedules",
    answer: {
      procedure: "schedule.delete",
      input: ScheduleId,
      status: 204,
      run: ({ acting, context }, { scheduleId }) => context.schedules.delete(acting, scheduleId),
    },
  }),
];

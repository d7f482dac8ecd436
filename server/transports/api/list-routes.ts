/** Streams of more than one job. */
import { FeedWatch, Watching } from "#server/jobs/inputs.ts";
import { positionOf } from "#shared/cursor.ts";
import { ANSWERS } from "./answers.ts";
import { type Route, route } from "./route.ts";

export const LIST_ROUTES: readonly Route[] = [
  route({
    method: "GET",
    path: "/feed",
    operationId: "watchFeed",
    summary: "Watch all jobs of the caller, each as it changes",
    tag: "Lists",
    stream: {
      procedure: "feed.onUpdate",
      input: FeedWatch,
      event: "feed",
      output: ANSWERS.FeedEntry,
      open: ({ principal, context }, { lastEventId, ...owners }) =>
        context.streams.feed(principal, {
          ...owners,
          after: positionOf(lastEventId ?? undefined),
        }),
    },
  }),
  route({
    method: "GET",
    path: "/presence",
    operationId: "watchPresence",
    summary: "Watch who is online in the tenant",
    tag: "Lists",
    stream: {
      procedure: "presence.onUpdate",
      input: Watching,
      event: "presence",
      output: ANSWERS.Presence,
      open: ({ principal, context, device: own }, { device = own, visible }) =>
        context.presence.watch(principal, {}, { device, visible }),
    },
  }),
];

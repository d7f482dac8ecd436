/** Batches: jobs that are created together. */
import {
  BatchCancel,
  BatchesQuery,
  BatchId,
  BatchToCreate,
  Follow,
  Resume,
  Watching,
} from "#server/jobs/inputs.ts";
import { positionOf } from "#shared/cursor.ts";
import { ANSWERS } from "./answers.ts";
import { type Route, route } from "./route.ts";

export const BATCH_ROUTES: readonly Route[] = [
  route({
    method: "POST",
    path: "/batches",
    operationId: "createBatch",
    summary: "Create a batch: all of its jobs, or none",
    tag: "Batches",
    answer: {
      procedure: "batch.create",
      input: BatchToCreate,
      status: 201,
      output: ANSWERS.Batch,
      run: ({ acting, context }, input) =>
        context.jobs.createBatch(acting, { ...input, sameRequest: true }),
      location: ({ id }) => `/batches/${id}`,
      keyed: true,
      ofKinds: "batch",
    },
  }),
  route({
    method: "GET",
    path: "/batches",
    operationId: "listBatches",
    summary: "List batches, newest first",
    tag: "Batches",
    answer: {
      procedure: "batch.list",
      input: BatchesQuery,
      status: 200,
      output: ANSWERS.BatchPage,
      run: ({ principal, context }, { cursor, ...query }) =>
        context.jobs.listBatches(principal, { ...query, cursor: cursor ?? undefined }),
    },
  }),
  route({
    method: "GET",
    path: "/batches/{batchId}",
    operationId: "getBatch",
    summary: "Read a batch",
    tag: "Batches",
    answer: {
      procedure: "batch.get",
      input: BatchId,
      status: 200,
      output: ANSWERS.Batch,
      run: ({ principal, context }, { batchId }) => context.jobs.getBatch(principal, batchId),
    },
  }),
  route({
    method: "POST",
    path: "/batches/{batchId}/cancel",
    operationId: "cancelBatch",
    summary: "Cancel the jobs of a batch that are not settled",
    tag: "Batches",
    answer: {
      procedure: "batch.cancel",
      input: BatchCancel,
      status: 200,
      output: ANSWERS.Batch,
      run: ({ acting, context }, { batchId, note }) =>
        context.jobs.cancelBatch(acting, batchId, note),
    },
  }),
  route({
    method: "GET",
    path: "/batches/{batchId}/events",
    operationId: "watchBatch",
    summary: "Watch a batch",
    tag: "Batches",
    stream: {
      procedure: "batch.onUpdate",
      input: BatchId.extend(Resume.shape).extend(Follow.shape),
      event: "batch",
      output: ANSWERS.BatchState,
      open: ({ principal, context }, { batchId, lastEventId, follow }) =>
        context.streams.batch(principal, batchId, {
          after: positionOf(lastEventId ?? undefined),
          follow,
        }),
    },
  }),
  route({
    method: "GET",
    path: "/batches/{batchId}/presence",
    operationId: "watchBatchPresence",
    summary: "Watch who looks at a batch",
    tag: "Batches",
    stream: {
      procedure: "batch.onPresence",
      input: BatchId.extend(Watching.shape),
      event: "presence",
      output: ANSWERS.Presence,
      open: ({ principal, context, device: own }, { batchId, device = own, visible }) =>
        context.presence.watch(principal, { batchId }, { device, visible }),
    },
  }),
];

/** The procedures that show who is where, and who writes a review note. */
import { BatchId, JobId, Typing, Watching } from "#server/jobs/inputs.ts";
import type { WatchingPresence } from "#server/presence/open.ts";
import type { PresenceOf } from "#shared/presence.ts";
import type { Context } from "./context.ts";
import type { createInit } from "./init.ts";
import { relay } from "./relay.ts";

type CallContext = Pick<
  Context,
  | "assertCurrent"
  | "device"
  | "endForGood"
  | "presence"
  | "principal"
  | "sent"
  | "untilDrain"
  | "untilExpired"
>;

function watch(ctx: CallContext, of: PresenceOf, { device, visible, signal }: WatchingPresence) {
  return relay(
    () =>
      ctx.presence.watch(ctx.principal(), of, {
        device: device ?? ctx.device,
        visible,
        signal: ctx.untilExpired(signal),
      }),
    ctx,
  );
}

export function createPresenceProcedures({ procedure }: ReturnType<typeof createInit>) {
  return {
    job: {
      onPresence: procedure
        .input(JobId.extend(Watching.shape))
        .subscription(({ ctx, input: { jobId, ...watching }, signal }) =>
          watch(ctx, { jobId }, { ...watching, signal }),
        ),
      /** The caller writes a note about the job, or has stopped. It counts for five seconds. */
      typing: procedure
        .input(Typing)
        .mutation(({ ctx, input: { jobId, typing, device } }) =>
          ctx.presence.setTyping(ctx.principal(), jobId, typing, device ?? ctx.device),
        ),
    },
    batch: {
      onPresence: procedure
        .input(BatchId.extend(Watching.shape))
        .subscription(({ ctx, input: { batchId, ...watching }, signal }) =>
          watch(ctx, { batchId }, { ...watching, signal }),
        ),
    },
    tenant: {
      onUpdate: procedure
        .input(Watching.prefault({}))
        .subscription(({ ctx, input, signal }) => watch(ctx, {}, { ...input, signal })),
    },
  };
}

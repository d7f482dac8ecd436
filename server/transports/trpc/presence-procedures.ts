/** The procedures that show who is where, and who writes a review note. */
import { z } from "zod";
import { JobId, BatchId, Resume, Text } from "#server/jobs/inputs.ts";
import type { WatchingPresence } from "#server/presence/open.ts";
import { MAX_DEVICE_CHARS } from "#shared/limits.ts";
import type { PresenceOf } from "#shared/presence.ts";
import type { Context } from "./context.ts";
import type { createInit } from "./init.ts";
import { relay } from "./relay.ts";

/** Without it, each connection of a caller that has no user id of its own is another guest, and so is each HTTP request. */
const Device = z.object({ device: Text.min(1).max(MAX_DEVICE_CHARS).optional() });
/** Presence has no history: whatever `lastEventId` says, the watcher receives the present state. */
const Watching = Device.extend({ visible: z.boolean().default(true), ...Resume.shape });

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
        .input(JobId.extend({ typing: z.boolean().default(true), ...Device.shape }))
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

/** All procedures. Clients import only the type of this router. */
import type { AnyTRPCRouter } from "@trpc/server";
import { z } from "zod";
import type { Caller } from "#server/transports/contract.ts";
import { msLeft } from "#server/transports/callers/credential-end.ts";
import type { CallerInfo, SystemState } from "#shared/api.ts";
import type { Clock } from "#shared/clock.ts";
import { positionOf } from "#shared/cursor.ts";
import { MAX_KEY_CHARS, MAX_TOKEN_CHARS } from "#shared/limits.ts";
import { ToRevokeSchema } from "#shared/revocation.schema.ts";
import { ShareAskedSchema } from "#shared/share.schema.ts";
import { createInit } from "./init.ts";
import {
  AuditQuery,
  BatchCancel,
  BatchesQuery,
  BatchId,
  BatchToCreate,
  EventsQuery,
  FeedWatch,
  Follow,
  JobDecision,
  JobId,
  JobsQuery,
  JobToCreate,
  LinkId,
  LogsQuery,
  Resume,
} from "#server/jobs/inputs.ts";
import { createJobReads } from "./job-reads.ts";
import { createKindRouter } from "./kind-router.ts";
import type { OwnProcedures, OwnRouter, ProcedureBuilders } from "./own-procedures.ts";
import { createOperatorProcedures } from "./operator-procedures.ts";
import { createPresenceProcedures } from "./presence-procedures.ts";
import { relay } from "./relay.ts";
import { createScheduleProcedures } from "./schedule-procedures.ts";

/**
 * `kinds`: the names of the server's kinds, each of which has procedures of its own. `ownProcedures`: those of the program that
 * the server runs in.
 */
export function createRouter(
  ping: { intervalMs: number; timeoutMs: number },
  kinds: readonly string[],
  ownProcedures?: OwnProcedures,
) {
  const init = createInit(ping);
  const { router, procedure } = init;
  const presence = createPresenceProcedures(init);
  const operator = createOperatorProcedures(init);

  const decide = (decision: "cancel" | "retry" | "approve" | "reject" | "regenerate") =>
    procedure
      .input(JobDecision)
      .mutation(({ ctx, input }) =>
        ctx.jobs.decide(ctx.acting(), input.jobId, decision, input.note),
      );

  const job = router({
    create: procedure
      .input(JobToCreate)
      .mutation(({ ctx, input }) => ctx.jobs.create(ctx.acting(), input)),
    ...createJobReads(init),
    ...presence.job,
    list: procedure
      .input(JobsQuery.prefault({}))
      .query(({ ctx, input: { cursor, ...query } }) =>
        ctx.jobs.list(ctx.principal(), { ...query, cursor: cursor ?? undefined }),
      ),
    events: procedure
      .input(EventsQuery)
      .query(({ ctx, input: { jobId, cursor, limit } }) =>
        ctx.jobs.events(ctx.principal(), { jobId, limit, after: positionOf(cursor ?? "0") ?? 0 }),
      ),
    logs: procedure
      .input(LogsQuery)
      .query(({ ctx, input: { jobId, cursor, limit } }) =>
        ctx.jobs.logs(ctx.principal(), { jobId, limit, after: positionOf(cursor ?? "0") ?? 0 }),
      ),
    onLog: procedure
      .input(JobId.extend(Resume.shape).extend(Follow.shape))
      .subscription(({ ctx, input: { jobId, lastEventId, follow }, signal }) =>
        relay(
          () =>
            ctx.streams.lines(ctx.principal(), jobId, {
              after: positionOf(lastEventId ?? undefined),
              follow,
              signal: ctx.untilExpired(signal),
            }),
          ctx,
        ),
      ),
    waiting: procedure
      .input(JobId)
      .query(({ ctx, input }) => ctx.jobs.waiting(ctx.principal(), input.jobId)),
    share: procedure
      .input(JobId.extend(ShareAskedSchema.shape))
      .mutation(({ ctx, input: { jobId, ...asked } }) =>
        ctx.sharing().share(ctx.caller(), { stream: "job", id: jobId }, asked),
      ),
    unshare: procedure
      .input(JobId.extend(LinkId.shape))
      .mutation(({ ctx, input: { jobId, linkId } }) =>
        ctx.sharing().unshare(ctx.caller(), { stream: "job", id: jobId }, linkId),
      ),
    links: procedure
      .input(JobId)
      .query(({ ctx, input: { jobId } }) =>
        ctx.sharing().list(ctx.caller(), { stream: "job", id: jobId }),
      ),
    cancel: decide("cancel"),
    retry: decide("retry"),
    approve: decide("approve"),
    reject: decide("reject"),
    regenerate: decide("regenerate"),
  });

  const batch = router({
    ...presence.batch,
    create: procedure
      .input(BatchToCreate)
      .mutation(({ ctx, input }) => ctx.jobs.createBatch(ctx.acting(), input)),
    get: procedure
      .input(BatchId)
      .query(({ ctx, input }) => ctx.jobs.getBatch(ctx.principal(), input.batchId)),
    list: procedure
      .input(BatchesQuery.prefault({}))
      .query(({ ctx, input: { cursor, ...query } }) =>
        ctx.jobs.listBatches(ctx.principal(), { ...query, cursor: cursor ?? undefined }),
      ),
    cancel: procedure
      .input(BatchCancel)
      .mutation(({ ctx, input }) => ctx.jobs.cancelBatch(ctx.acting(), input.batchId, input.note)),
    share: procedure
      .input(BatchId.extend(ShareAskedSchema.shape))
      .mutation(({ ctx, input: { batchId, ...asked } }) =>
        ctx.sharing().share(ctx.caller(), { stream: "batch", id: batchId }, asked),
      ),
    unshare: procedure
      .input(BatchId.extend(LinkId.shape))
      .mutation(({ ctx, input: { batchId, linkId } }) =>
        ctx.sharing().unshare(ctx.caller(), { stream: "batch", id: batchId }, linkId),
      ),
    links: procedure
      .input(BatchId)
      .query(({ ctx, input: { batchId } }) =>
        ctx.sharing().list(ctx.caller(), { stream: "batch", id: batchId }),
      ),
    onUpdate: procedure
      .input(BatchId.extend(Resume.shape).extend(Follow.shape))
      .subscription(({ ctx, input: { batchId, lastEventId, follow }, signal }) =>
        relay(
          () =>
            ctx.streams.batch(ctx.principal(), batchId, {
              after: positionOf(lastEventId ?? undefined),
              follow,
              signal: ctx.untilExpired(signal),
            }),
          ctx,
        ),
      ),
  });

  const auth = router({
    /** Describes the caller. `expiresInMs` is `null` for credentials that do not end. */
    me: procedure.query(({ ctx }) => describe(ctx.caller(), ctx.clock)),
    /** Replaces the token of a WebSocket, so that the connection lives on. */
    refresh: procedure
      .input(z.object({ token: z.string().min(1).max(MAX_TOKEN_CHARS) }))
      .mutation(async ({ ctx, input }) => describe(await ctx.refresh(input.token), ctx.clock)),
    /** Issues a ticket for the address of one subscription: `EventSource` cannot send a token. */
    ticket: procedure
      .input(z.object({ path: z.string().max(MAX_KEY_CHARS), input: z.unknown() }))
      .mutation(({ ctx, input: { path, input } }) =>
        ctx.sharing().issueTicket(ctx.caller(), { path, input }),
      ),
    /** Ends a token, or all that a user was issued, in the caller's tenant. Answers with what it ended. */
    revoke: procedure.input(ToRevokeSchema).mutation(({ ctx, input }) => ctx.revoke(input)),
  });

  const audit = router({
    /** What was done in the caller's tenant, newest first. With a filter, pages may be short, or empty, before the last one. */
    list: procedure.input(AuditQuery.prefault({})).query(({ ctx, input: { cursor, ...query } }) =>
      ctx.audit.list({
        ...query,
        tenant: ctx.principal().tenantId,
        cursor: cursor ?? undefined,
      }),
    ),
  });

  const ours = {
    audit,
    auth,
    job,
    batch,
    feed: router({
      onUpdate: procedure
        .input(FeedWatch.prefault({}))
        .subscription(({ ctx, input: { lastEventId, ...owners }, signal }) =>
          relay(
            () =>
              ctx.streams.feed(ctx.principal(), {
                ...owners,
                after: positionOf(lastEventId ?? undefined),
                signal: ctx.untilExpired(signal),
              }),
            ctx,
          ),
        ),
    }),
    presence: router(presence.tenant),
    pause: router(operator.pause),
    schedule: router(createScheduleProcedures(init)),
    worker: router(operator.worker),
    kinds: router(Object.fromEntries(kinds.map((kind) => [kind, createKindRouter(init, kind)]))),
    kind: router({
      list: procedure.query(({ ctx }) => [...ctx.jobs.kinds()]),
    }),
    system: router({
      info: procedure.query(({ ctx }) => ctx.system),
      onState: procedure.subscription(async function* ({
        ctx,
        signal,
      }): AsyncIterable<SystemState, void, void> {
        const states = ctx.streams.availability(ctx.untilExpired(signal));
        for await (const reached of states) yield { stale: !reached };
        ctx.assertCurrent();
      }),
    }),
  };
  // Its types are written by hand, without the context of our procedures.
  const builders = { router, procedure: init.ownProcedure } as unknown as ProcedureBuilders;
  const own = recordOf(ownProcedures?.(builders) ?? {});
  for (const name of Object.keys(own)) {
    if (Object.hasOwn(ours, name)) throw new ProcedureError(name);
  }
  // Clients know the types of its own procedures from the program.
  return router({ ...own, ...ours });
}

function recordOf(own: OwnRouter): object {
  return isRouter(own) ? own._def.record : own;
}

function isRouter(own: OwnRouter): own is AnyTRPCRouter {
  return typeof own.createCaller === "function";
}

/** Thrown for a program's procedures under a name that Jobwire uses itself. */
export class ProcedureError extends Error {
  override readonly name = "ProcedureError";

  constructor(name: string) {
    super(`Jobwire has procedures below "${name}" itself. Give yours another name.`);
  }
}

function describe(caller: Caller, clock: Clock): CallerInfo {
  return { ...caller.principal, expiresInMs: msLeft(caller, clock) };
}

export type AppRouter = ReturnType<typeof createRouter>;

/** Configures tRPC: superjson, our errors, and a principal for every call. */
import { initTRPC, type TRPCError } from "@trpc/server";
// tRPC requires it on the result of a middleware that does not call the next one.
import { middlewareMarker } from "@trpc/server/unstable-core-do-not-import";
import type { ApiError } from "#shared/api.ts";
import type { Context } from "./context.ts";
import { isOfClient } from "./client-version.ts";
import { assertEnvelope, transformer } from "./envelope.ts";
import { appCodeOf, flatIssuesOf, messageOfInput, retryAfterOf, toTRPCError } from "./errors.ts";
import type { OwnContext } from "./own-procedures.ts";
import { relay } from "./relay.ts";
import { inCallSpan } from "#server/tracing/call-span.ts";
import { isOpen, PROCEDURES, refusalFor } from "#server/auth/permissions.ts";

export function createInit(ping: { intervalMs: number; timeoutMs: number }) {
  const t = initTRPC.context<Context>().create({
    transformer,
    // Keeps stack traces out of answers.
    isDev: false,
    sse: {
      ping: { enabled: true, intervalMs: ping.intervalMs },
      client: { reconnectAfterInactivityMs: ping.intervalMs + ping.timeoutMs },
    },
    errorFormatter({ shape, error }): ApiError {
      const retryAfterMs = retryAfterOf(error);
      return {
        ...shape,
        message: messageOfInput(error),
        data: {
          ...shape.data,
          appCode: appCodeOf(error),
          zodError: flatIssuesOf(error),
          ...(retryAfterMs !== undefined && { retryAfterMs }),
        },
      };
    },
  });

  /** Checks the principal of every call, and what `refusalOf` requires of it. */
  const checked = (refusalOf: (ctx: CallContext, path: string) => TRPCError | undefined) =>
    t.procedure.use(async ({ ctx, path, type, getRawInput, next }) => {
      const refusal = refusalOf(ctx, path) ?? (await limitOf(ctx));
      if (refusal !== undefined) {
        if (type !== "subscription") throw refusal;
        // An event stream can report an error only after it has begun, so it begins and ends with the error.
        return {
          ok: true,
          data: relay(() => Promise.reject(refusal), ctx),
          marker: middlewareMarker,
        };
      }
      const call = async () => {
        assertEnvelope(await getRawInput());
        const result = await next();
        if (!result.ok) throw toTRPCError(result.error);
        return result;
      };
      // Subscriptions have no span: they last for hours.
      if (type === "subscription") return call();
      const traced = () => inCallSpan({ system: "trpc", method: path }, ctx.trace, codeOf, call);
      return ctx.batch === undefined ? traced() : ctx.batch.run(type, traced);
    });

  return {
    router: t.router,
    /** Only a procedure that is built on `t.procedure` is open to all callers. */
    procedure: checked((ctx, path) =>
      isOpen(path) && !isOfClient(ctx.refusal()) ? undefined : refusalOf(ctx, path),
    ),
    /** Of the program that the server runs in: for every caller that is known. The program itself checks scopes. */
    ownProcedure: checked((ctx) => ctx.refusal()).use(({ ctx, next }) => {
      const { userId, tenantId, scopes } = ctx.principal();
      const own: OwnContext = { principal: { userId, tenantId, scopes } };
      return next({ ctx: own });
    }),
  };
}

const codeOf = (error: unknown) => appCodeOf(toTRPCError(error));

type CallContext = Pick<Context, "limits" | "refusal" | "principal">;

/** Counts the call of a known caller. */
async function limitOf(ctx: CallContext): Promise<TRPCError | undefined> {
  if (ctx.limits === undefined || ctx.refusal() !== undefined) return undefined;
  const limited = await ctx.limits.call(ctx.principal());
  return limited && toTRPCError(limited);
}

function refusalOf(ctx: CallContext, path: string): TRPCError | undefined {
  const unknown = ctx.refusal();
  if (unknown !== undefined) return unknown;
  const refusal = refusalFor(ctx.principal(), PROCEDURES, path);
  return refusal && toTRPCError(refusal);
}

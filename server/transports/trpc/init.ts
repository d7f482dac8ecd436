/** tRPC as this server speaks it: superjson, our errors, and a principal with every call. */
import { initTRPC } from "@trpc/server";
// Marks the result of a middleware that does not call the next one.
import { middlewareMarker } from "@trpc/server/unstable-core-do-not-import";
import type { Context } from "./context.ts";
import { assertEnvelope, transformer } from "./envelope.ts";
import { appCodeOf, flatIssuesOf, messageOfInput, toTRPCError } from "./errors.ts";
import { relay } from "./relay.ts";

export function createInit(ping: { intervalMs: number; timeoutMs: number }) {
  const t = initTRPC.context<Context>().create({
    transformer,
    // Stack traces are for the log.
    isDev: false,
    sse: {
      ping: { enabled: true, intervalMs: ping.intervalMs },
      client: { reconnectAfterInactivityMs: ping.intervalMs + ping.timeoutMs },
    },
    errorFormatter: ({ shape, error }) => ({
      ...shape,
      message: messageOfInput(error),
      data: { ...shape.data, appCode: appCodeOf(error), zodError: flatIssuesOf(error) },
    }),
  });

  /** Checks the principal of every call. A procedure that is open to all says so: it is built on `t.procedure`. */
  const procedure = t.procedure.use(async ({ ctx, type, getRawInput, next }) => {
    const refusal = ctx.refusal();
    if (refusal !== undefined) {
      if (type !== "subscription") throw refusal;
      // The response of an event stream can say why only once it has begun, so the stream begins and ends with the reason.
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
    return ctx.batch === undefined || type === "subscription" ? call() : ctx.batch.run(type, call);
  });

  return { router: t.router, procedure };
}

/** tRPC as this server speaks it: superjson, our errors, and a principal with every call. */
import { initTRPC } from "@trpc/server";
import type { Context } from "./context.ts";
import { assertEnvelope, transformer } from "./envelope.ts";
import { appCodeOf, flatIssuesOf, messageOfInput, toTRPCError } from "./errors.ts";

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

  const procedure = t.procedure.use(async ({ ctx, type, getRawInput, next }) => {
    // An event stream can only tell its reader why once it began: `relay` does that.
    if (type !== "subscription") ctx.principal();
    assertEnvelope(await getRawInput());
    const result = await next();
    if (!result.ok) throw toTRPCError(result.error);
    return result;
  });

  return { router: t.router, procedure };
}

/** tRPC as this server speaks it: superjson, our errors, and a principal with every call. */
import { initTRPC, tracked } from "@trpc/server";
import type { Jobs } from "#server/jobs/jobs.ts";
import type { Stream, Streams } from "#server/streams/open.ts";
import type { SystemInfo } from "#server/transports/contract.ts";
import type { Principal } from "#shared/principal.ts";
import { assertEnvelope, transformer } from "./envelope.ts";
import { appCodeOf, flatIssuesOf, messageOfInput, toTRPCError } from "./errors.ts";

export interface Context {
  /** Throws `UNAUTHORIZED`. A connection of somebody unknown stays open, so that each of its calls is told why. */
  principal: () => Principal;
  jobs: Jobs;
  streams: Streams;
  system: SystemInfo;
  /** Resolves when the connection takes more. */
  drained: () => Promise<void>;
}

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

/** A stream as tRPC sends it: each entry with its cursor, so that the stock client resumes by itself. */
export async function* relay<T>(open: () => Promise<Stream<T>>, { drained }: Context) {
  try {
    for await (const { pos, value } of await open()) {
      yield tracked<T>(String(pos), value);
      await drained();
    }
  } catch (error) {
    throw toTRPCError(error);
  }
}

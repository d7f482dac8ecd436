/**
 * Refuses calls over HTTP of users who are known to be beyond their limit before tRPC sees them: its answer costs several
 * times as much.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AnyTRPCRouter, TRPCError } from "@trpc/server";
import type { Limits } from "#server/limits/open.ts";
import { discardBody } from "#server/transports/requests/body.ts";
import type { Caller, Transport } from "#server/transports/contract.ts";
import type { AppError } from "#shared/errors.ts";
import { refuseLimited } from "#server/transports/requests/refusals.ts";
import { hasOwnCredentials } from "./callers.ts";

interface EarlyRefusalOptions {
  router: AnyTRPCRouter;
  limits: Pick<Limits, "refusesCalls" | "refusedCall">;
  callerOf(req: IncomingMessage): Promise<Caller | TRPCError>;
  transport: () => Transport;
}

export function createEarlyRefusal({ router, limits, callerOf, transport }: EarlyRefusalOptions) {
  /** Event streams report errors after they have begun, and streamed batches in lines of their own form. */
  function hasOtherAnswer({ url = "", headers }: IncomingMessage): boolean {
    const path = url.slice("/trpc/".length).split("?", 1)[0] ?? "";
    const procedures: Record<string, { _def: { type: string } } | undefined> =
      router._def.procedures;
    return headers["trpc-accept"] !== undefined || procedures[path]?._def.type === "subscription";
  }

  /** Calls `next` unless it has answered. */
  return (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void => {
    // It costs something to find out who calls before tRPC does.
    if (!limits.refusesCalls() || hasOwnCredentials(req) || hasOtherAnswer(req)) return next();
    void refusalOf(req)
      .then((error) => {
        if (error === undefined) return next();
        discardBody(req);
        refuseLimited(res, error, transport());
      })
      .catch(next);
  };

  async function refusalOf(req: IncomingMessage): Promise<AppError | undefined> {
    const caller = await callerOf(req);
    return caller instanceof TRPCError ? undefined : limits.refusedCall(caller.principal);
  }
}

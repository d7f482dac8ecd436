/** Calls of procedures by the program that the server runs in: checked as those of clients are, without a socket. */
import { Writable } from "node:stream";
import { isTrackedEnvelope, TRPCError } from "@trpc/server";
import { ZodError } from "zod";
import type { Principal } from "#shared/principal.ts";
import { AppError, type InputIssue } from "#shared/errors.ts";
import { Context, type ContextServices } from "./context.ts";
import { appCodeOf, messageOfInput } from "./errors.ts";
import type { AppRouter } from "./router.ts";

export type Caller = ReturnType<AppRouter["createCaller"]>;

export interface InProcess {
  /** Rejects with `AppError`. The calls of a user do not count: the program bounds them itself. */
  call<T>(principal: Principal, use: (caller: Caller) => Promise<T>): Promise<T>;
  /** The values of a subscription. Rejects as `call` does. */
  watch<T>(
    principal: Principal,
    use: (caller: Caller) => Promise<AsyncIterable<unknown>>,
    signal?: AbortSignal,
  ): AsyncGenerator<T, void>;
}

export function createInProcess(router: AppRouter, services: ContextServices): InProcess {
  function callerFor(principal: Principal, signal?: AbortSignal): Caller {
    const { userId, tenantId, scopes } = principal;
    const caller = {
      principal: { userId, tenantId, scopes },
      expiresAt: undefined,
      via: "authenticate",
    } as const;
    // Nothing is ever written to it, so it is never full.
    const context = new Context(services, { socket: new Writable(), caller });
    return router.createCaller(context, signal && { signal });
  }

  return {
    async call(principal, use) {
      try {
        return await use(callerFor(principal));
      } catch (error) {
        throw toAppError(error);
      }
    },
    async *watch<T>(
      principal: Principal,
      use: (caller: Caller) => Promise<AsyncIterable<unknown>>,
      signal?: AbortSignal,
    ) {
      try {
        for await (const value of await use(callerFor(principal, signal))) {
          yield (isTrackedEnvelope(value) ? value[1] : value) as T;
        }
      } catch (error) {
        throw toAppError(error);
      }
    },
  };
}

function toAppError(error: unknown): unknown {
  if (!(error instanceof TRPCError)) return error;
  const { cause } = error;
  if (cause instanceof AppError) return cause;
  const issues: InputIssue[] = cause instanceof ZodError ? cause.issues.map(issueOf) : [];
  return new AppError(appCodeOf(error), messageOfInput(error), { cause: cause ?? error, issues });
}

function issueOf({ path, message }: ZodError["issues"][number]): InputIssue {
  return { path: path.map((part) => (typeof part === "number" ? part : String(part))), message };
}

/** Links that send tokens, and that try again with a newer one where the server refused a token as expired. */
import {
  type HTTPHeaders,
  httpSubscriptionLink,
  type Operation,
  retryLink,
  TRPCClientError,
  type TRPCLink,
} from "@trpc/client";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import type { Tokens } from "./tokens.ts";
import { transformer } from "./transformer.ts";

type Link = TRPCLink<AppRouter>;
type TokenNow = () => Promise<string>;

/** The key of an operation's context under which its link notes the token that it has sent. */
const USED_TOKEN = "usedToken";
/** A token that is refused so soon after another one is no better. */
const CALM_MS = 10_000;
const MAX_WAIT_MS = 5000;

export function usedToken({ context }: Operation): string | undefined {
  const used = context[USED_TOKEN];
  return typeof used === "string" ? used : undefined;
}

/** Headers of calls over HTTP. */
export function headersWith(tokenNow: TokenNow) {
  return async ({ opList }: { opList: readonly Operation[] }): Promise<HTTPHeaders> => {
    const token = await tokenNow();
    for (const { context } of opList) context[USED_TOKEN] = token;
    return { authorization: `Bearer ${token}` };
  };
}

/**
 * Subscriptions over SSE. Each has its own link, because a link does not tell which token it has sent for which of its
 * subscriptions.
 */
export function eventsWith(tokenNow: TokenNow | undefined, url: string): Link {
  if (tokenNow === undefined) return httpSubscriptionLink({ url, transformer });
  return (runtime) =>
    ({ op, next }) => {
      const connectionParams = async () => {
        const token = await tokenNow();
        op.context[USED_TOKEN] = token;
        return { token };
      };
      return httpSubscriptionLink<AppRouter, typeof EventSource>({
        url,
        transformer,
        connectionParams,
      })(runtime)({ op, next });
    };
}

/** Repeats a call once. The server has refused it before it did anything. */
export function repeatOnce(tokens: Tokens): Link {
  return retryLink({
    retry({ op, error, attempts }) {
      if (attempts > 1 || !hasExpired(error)) return false;
      tokens.expire(usedToken(op));
      return true;
    },
  });
}

/** Reopens a subscription: at once, or later if its token has just been replaced. It resumes from its cursor. */
export function reopen(onExpired: (op: Operation) => void): Link {
  return (runtime) =>
    ({ op, next }) => {
      let expiredAt = -CALM_MS;
      let waitMs = 0;
      return retryLink<AppRouter>({
        retry(refused) {
          if (!hasExpired(refused.error)) return false;
          const now = performance.now();
          waitMs = now - expiredAt < CALM_MS ? Math.min(Math.max(500, waitMs * 2), MAX_WAIT_MS) : 0;
          expiredAt = now;
          onExpired(refused.op);
          return true;
        },
        retryDelayMs: () => waitMs,
      })(runtime)({ op, next });
    };
}

function hasExpired(error: unknown): boolean {
  if (!(error instanceof TRPCClientError)) return false;
  return (error as TRPCClientError<AppRouter>).data?.appCode === "TOKEN_EXPIRED";
}

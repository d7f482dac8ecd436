/** Links that send tokens, and that try again with another one where the server refused a token. */
import {
  type HTTPHeaders,
  httpSubscriptionLink,
  type Operation,
  retryLink,
  TRPCClientError,
  type TRPCLink,
} from "@trpc/client";
import type { ApiRouter } from "#shared/api.ts";
import type { Tokens } from "./tokens.ts";
import { transformer } from "./transformer.ts";

type Link = TRPCLink<ApiRouter>;
type TokenNow = () => Promise<string>;

/** The key of an operation's context under which its link notes the token that it has sent. */
const USED_TOKEN = "usedToken";
/** A token that is refused so soon after another one is no better. */
const CALM_MS = 10_000;
const MAX_WAIT_MS = 5000;
/** Refusals of tokens as invalid in a row, after which a subscription ends: there is no better token. */
const MAX_REFUSALS = 5;

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
      return httpSubscriptionLink<ApiRouter, typeof EventSource>({
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
      if (attempts > 1 || codeOfRefusal(error) === undefined) return false;
      tokens.expire(usedToken(op));
      return true;
    },
  });
}

/**
 * Reopens a subscription: at once, or later if its token has just been replaced. It resumes from its cursor. A revoked user gets
 * no token that is better, so the subscription ends with the error then.
 */
export function reopen(onRefused: (op: Operation) => void): Link {
  return (runtime) =>
    ({ op, next }) => {
      let refusedAt = -CALM_MS;
      let refusals = 0;
      let waitMs = 0;
      return retryLink<ApiRouter>({
        retry(refused) {
          const code = codeOfRefusal(refused.error);
          if (code === undefined) return false;
          const now = performance.now();
          const isSoon = now - refusedAt < CALM_MS;
          waitMs = isSoon ? Math.min(Math.max(500, waitMs * 2), MAX_WAIT_MS) : 0;
          refusedAt = now;
          refusals = code === "TOKEN_EXPIRED" ? 0 : isSoon ? refusals + 1 : 1;
          if (refusals >= MAX_REFUSALS) return false;
          onRefused(refused.op);
          return true;
        },
        retryDelayMs: () => waitMs,
      })(runtime)({ op, next });
    };
}

/** `undefined`: the error is no refusal of a token. */
export function codeOfRefusal(error: unknown): "TOKEN_EXPIRED" | "UNAUTHENTICATED" | undefined {
  if (!(error instanceof TRPCClientError)) return undefined;
  const code = (error as TRPCClientError<ApiRouter>).data?.appCode;
  return code === "TOKEN_EXPIRED" || code === "UNAUTHENTICATED" ? code : undefined;
}

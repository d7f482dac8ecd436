/**
 * Closes the WebSocket of a client that has one token for good when the server has refused it and no subscription is left. tRPC
 * would open another connection with the same token for ever. A later subscription opens it again.
 */
import type { TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import type { ApiRouter } from "#shared/api.ts";
import { codeOfRefusal } from "./token-links.ts";

export function closeWhenRefused(close: () => void): TRPCLink<ApiRouter> {
  return () => {
    let open = 0;
    let isRefused = false;
    return ({ op, next }) =>
      observable((observer) => {
        open += 1;
        const subscription = next(op).subscribe({
          next(value) {
            if (value.result.type === "data") isRefused = false;
            observer.next(value);
          },
          error(error) {
            if (codeOfRefusal(error) !== undefined) isRefused = true;
            observer.error(error);
          },
          complete: () => observer.complete(),
        });
        return () => {
          subscription.unsubscribe();
          open -= 1;
          if (open === 0 && isRefused) close();
        };
      });
  };
}

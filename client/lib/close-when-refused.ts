/**
 * Closes the WebSocket of a client that the server has refused for good when no subscription is left. tRPC would open another
 * connection for ever. A later subscription opens it again.
 */
import type { TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import type { ApiRouter } from "#shared/api.ts";

export function closeWhenRefused(
  close: () => void,
  isForGood: (error: unknown) => boolean,
): TRPCLink<ApiRouter> {
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
            if (isForGood(error)) isRefused = true;
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

/** Holds what the server refused because the caller is not signed in, until it is. */
import type { TRPCClientError, TRPCLink } from "@trpc/client";
import { observable, type Unsubscribable } from "@trpc/server/observable";
import type { ApiRouter } from "#shared/api.ts";
import { codeOfRefusal } from "./token-links.ts";

/**
 * Resolves to true when the caller is signed in (again): a refused call is then repeated, once. A refused subscription is left
 * to its watcher, who opens it with a new client, because a WebSocket keeps the principal that it was opened with. Resolves to
 * false if there is no way to sign in: the error is then passed on.
 */
export type WaitForSignIn = () => Promise<boolean>;

export function signInLink(wait: WaitForSignIn): TRPCLink<ApiRouter> {
  return () =>
    ({ op, next }) =>
      observable((observer) => {
        let isOver = false;
        let subscription: Unsubscribable | undefined;

        async function hold(error: TRPCClientError<ApiRouter>): Promise<void> {
          const isSignedIn = await wait();
          if (isOver) return;
          if (!isSignedIn) observer.error(error);
          else if (op.type !== "subscription") attempt(false);
        }

        function attempt(isFirst: boolean): void {
          subscription = next(op).subscribe({
            next: (value) => observer.next(value),
            complete: () => observer.complete(),
            error(error) {
              if (isFirst && codeOfRefusal(error) !== undefined) void hold(error);
              else observer.error(error);
            },
          });
        }
        attempt(true);
        return () => {
          isOver = true;
          subscription?.unsubscribe();
        };
      });
}

/** The caller that the server knows this page as, also on a server without sign-in. */
import { useQuery } from "@tanstack/react-query";
import { UNTIL_ANSWERED, useJobwire } from "#client/lib/react.tsx";
import type { CallerInfo } from "#shared/api.ts";
import { hasScope } from "#shared/principal.ts";
import type { Scope } from "#shared/scopes.ts";
import { useWho } from "./use-sign-in.ts";

export interface Me {
  /** `undefined` until the server has answered. */
  caller: CallerInfo | undefined;
  /** False until then. */
  has(scope: Scope): boolean;
}

export function useMe(): Me {
  const { trpc } = useJobwire();
  const who = useWho();
  const { data: caller } = useQuery({
    queryKey: ["jobwire", "me", who?.tenant ?? "", who?.user ?? ""],
    queryFn: () => trpc.auth.me.query(),
    staleTime: Infinity,
    ...UNTIL_ANSWERED,
  });
  return { caller, has: (scope) => caller !== undefined && hasScope(caller, scope) };
}

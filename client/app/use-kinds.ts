import { skipToken, useQuery } from "@tanstack/react-query";
import { UNTIL_ANSWERED, useJobwire } from "#client/lib/react.tsx";
import { ANY_KIND, type KindView } from "./kind-parts.ts";
import { loadViewOf } from "./kinds.ts";

/** The kinds of the server; `undefined` until they are loaded. */
export function useKinds() {
  const { trpc } = useJobwire();
  const { data, error } = useQuery({
    queryKey: ["jobwire", "kinds"],
    queryFn: () => trpc.kind.list.query(),
    staleTime: Number.POSITIVE_INFINITY,
    ...UNTIL_ANSWERED,
  });
  return { kinds: data, error };
}

/** `undefined` until it is loaded. A view that cannot be loaded is that of any kind. */
export function useKindView(kind: string | undefined): KindView | undefined {
  const load = kind === undefined ? undefined : loadViewOf(kind);
  const { data, isError } = useQuery({
    queryKey: ["jobwire", "kind view", kind ?? ""],
    queryFn: load ?? skipToken,
    staleTime: Number.POSITIVE_INFINITY,
    retry: 2,
  });
  if (kind === undefined) return undefined;
  return load === undefined || isError ? ANY_KIND : data;
}

/** The pauses that the person may know of, and how to change them. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useJobwire } from "#client/lib/react.tsx";
import type { PauseRef, PauseRequest } from "#shared/operator-api.ts";
import { useMe } from "./use-me.ts";

/** There is no feed of pauses. */
const READ_AGAIN_MS = 10_000;

export function usePauses() {
  const { trpc } = useJobwire();
  const { has } = useMe();
  const list = useQuery({
    queryKey: ["jobwire", "pauses"],
    queryFn: () => trpc.pause.list.query(),
    enabled: has("jobs:read") || has("operator") || has("admin"),
    refetchInterval: READ_AGAIN_MS,
  });
  const onSettled = () => list.refetch();
  const pause = useMutation({
    mutationFn: (request: PauseRequest) => trpc.pause.set.mutate(request),
    onSettled,
  });
  const resume = useMutation({
    mutationFn: (scope: PauseRef) => trpc.pause.remove.mutate(scope),
    onSettled,
  });
  return { pauses: list.data ?? [], pause, resume };
}

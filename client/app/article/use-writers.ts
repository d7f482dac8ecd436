import { useQuery } from "@tanstack/react-query";
import { UNTIL_ANSWERED, useJobwire } from "#client/lib/react.tsx";
import type { LlmProvider } from "#shared/article/article.ts";

/** Writers that the server offers; `undefined` until they are loaded. */
export function useWriters(): LlmProvider[] | undefined {
  const { trpc } = useJobwire();
  const { data } = useQuery({
    queryKey: ["jobwire", "system"],
    queryFn: () => trpc.system.info.query(),
    staleTime: Number.POSITIVE_INFINITY,
    ...UNTIL_ANSWERED,
  });
  return data?.writers;
}

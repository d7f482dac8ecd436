import { useQuery } from "@tanstack/react-query";
import { UNTIL_ANSWERED, useJobwire } from "#client/lib/react.tsx";
import type { KindInfo } from "#shared/api.ts";
import { LLM_PROVIDERS, type LlmProvider } from "#shared/article/article.ts";

/**
 * Writers that the server can write articles with, without "auto"; `undefined` until they are loaded, and where the server's
 * kind `article` does not list any.
 */
export function useWriters(): LlmProvider[] | undefined {
  const { trpc } = useJobwire();
  const { data } = useQuery({
    queryKey: ["jobwire", "kinds"],
    queryFn: () => trpc.kind.list.query(),
    select: writersIn,
    staleTime: Number.POSITIVE_INFINITY,
    ...UNTIL_ANSWERED,
  });
  return data;
}

/** The JSON Schema of the kind's input lists them. */
function writersIn(kinds: readonly KindInfo[]): LlmProvider[] | undefined {
  const input: InputSchema = kinds.find(({ name }) => name === "article")?.input ?? {};
  const listed = input.properties?.llmProvider?.enum;
  if (!Array.isArray(listed)) return undefined;
  return listed.filter((writer) => LLM_PROVIDERS.includes(writer) && writer !== "auto");
}

interface InputSchema {
  properties?: { llmProvider?: { enum?: LlmProvider[] } };
}

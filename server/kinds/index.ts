/** The registry of kinds: a line each. */
import { createArticleKind } from "./article/kind.ts";
import type { AnyKind } from "./define.ts";

export interface KindOptions {
  fetchAllow: readonly string[];
  models: {
    anthropicApiKey?: string | undefined;
    openaiApiKey?: string | undefined;
    googleApiKey?: string | undefined;
    llmBaseUrl?: string | undefined;
    llmModel?: string | undefined;
  };
  offlinePaceMs: number;
}

export function createKinds(options: KindOptions): ReadonlyMap<string, AnyKind> {
  const kinds = [createArticleKind(options)];
  return new Map(kinds.map((kind) => [kind.name, kind]));
}

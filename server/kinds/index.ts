/** The registry of kinds. */
import type { KindFacts } from "#shared/kind-facts.ts";
import type { SettingsOf } from "#shared/variables.ts";
import { createArticleKind } from "./article/kind.ts";
import { SAMPLES } from "./article/samples.ts";
import { ARTICLE_VARIABLES, articleOptions } from "./article/settings.ts";
import { usableWriters } from "./article/write/writer-settings.ts";
import type { AnyKind, StaticSite } from "./define.ts";

/** In the order of docs/configuration.md. */
export const KIND_VARIABLES = { ...ARTICLE_VARIABLES };

export interface Kinds {
  kinds: AnyKind[];
  /** Pages that the kinds bring along. */
  sites: StaticSite[];
  facts: KindFacts;
}

/** `serverUrl`: the address of this server on its own machine. */
export function createKinds(settings: SettingsOf<typeof KIND_VARIABLES>, serverUrl: string): Kinds {
  const article = articleOptions(settings, serverUrl);
  return {
    kinds: [createArticleKind(article)],
    sites: [SAMPLES],
    facts: { writers: usableWriters(article.models) },
  };
}

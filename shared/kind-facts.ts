/** Facts that the kinds of a server add to the answer of `system.info`, for their forms. */
import type { LlmProvider } from "./article/article.ts";

export interface KindFacts {
  /** The writers that articles can be written with, in the order in which "auto" prefers them; "offline" at least. */
  writers: LlmProvider[];
}

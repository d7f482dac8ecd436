/** The input that articles take on one server: its schema lists the writers that the server can write with. */
import type { LlmProvider } from "#shared/article/article.ts";
import { ArticleInputSchema } from "#shared/article/article.schema.ts";
import { z } from "zod";
import { type Models, refusalOf, usableWriters } from "./write/writer-settings.ts";

/** "auto" is listed first, then the usable writers in the order in which "auto" prefers them. */
export function articleInputFor(models: Models) {
  const writers: LlmProvider[] = ["auto", ...usableWriters(models)];
  const llmProvider = z
    .enum(writers, { error: ({ input }) => refusalOf(input, models) })
    .default("auto")
    // "auto" is refused as well where the writer that it stands for is only half set up.
    .superRefine((writer, context) => {
      const message = refusalOf(writer, models);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .meta({ title: "Writer" });
  return ArticleInputSchema.extend({ llmProvider });
}

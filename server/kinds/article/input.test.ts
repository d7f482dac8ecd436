import { expect, test } from "vitest";
import { createKindRegistry } from "#server/kinds/registry.ts";
import { ArticleInputSchema } from "#shared/article/article.schema.ts";
import { articleInputFor } from "./input.ts";
import { createArticleKind } from "./kind.ts";
import type { Models } from "./write/writer-settings.ts";

const INPUT = {
  publisherDomain: "example.com",
  targetUrl: "https://example.com/",
  anchorText: "it",
};
const HALF = { llmBaseUrl: "http://localhost:1/v1" };

const issuesOf = (models: Models, more: object) =>
  articleInputFor(models)
    .safeParse({ ...INPUT, ...more })
    .error?.issues.map(({ path, message }) => [path.join("."), message]) ?? [];

test.each<[models: Models, writers: string[]]>([
  [{}, ["offline"]],
  [{ anthropicApiKey: "a", googleApiKey: "g" }, ["anthropic", "google", "offline"]],
  [{ ...HALF, llmModel: "llama" }, ["compatible", "offline"]],
])(
  "the JSON Schema of the input, with %j, lists auto and the usable writers",
  (models, writers) => {
    const { infos } = createKindRegistry([createArticleKind({ models })]);
    expect(infos).toMatchObject([
      {
        name: "article",
        input: {
          type: "object",
          properties: {
            llmProvider: { title: "Writer", default: "auto", enum: ["auto", ...writers] },
            writingStrategy: { default: "multi_stage" },
          },
        },
        output: { type: "object" },
      },
    ]);
  },
);

test("a writer that is not set up is refused, and the message says what to set", () => {
  expect(issuesOf({ googleApiKey: "g" }, { llmProvider: "openai" })).toEqual([
    [
      "llmProvider",
      'The writer "openai" is not set up on this server: set OPENAI_API_KEY, or choose another writer',
    ],
  ]);
});

test("auto is refused where it stands for a writer that is half set up, also where it is the default", () => {
  const refusal = [["llmProvider", expect.stringContaining("set LLM_MODEL")]];
  expect(issuesOf(HALF, { llmProvider: "auto" })).toEqual(refusal);
  expect(issuesOf(HALF, {})).toEqual(refusal);
  expect(issuesOf(HALF, { llmProvider: "offline" })).toEqual([]);
});

test("what is no writer at all is refused with the writers that there are", () => {
  for (const llmProvider of ["nobody", "", 5, null]) {
    expect(issuesOf({ googleApiKey: "g" }, { llmProvider })).toEqual([
      ["llmProvider", expect.stringMatching(/"auto"\|"google"\|"offline"$/)],
    ]);
  }
});

test("the other fields are those of every server", () => {
  const fields = Object.keys(articleInputFor({}).shape);
  expect(fields).toEqual(Object.keys(ArticleInputSchema.shape));
  expect(articleInputFor({}).parse({ ...INPUT, country: "se" })).toEqual(
    ArticleInputSchema.parse({ ...INPUT, country: "se" }),
  );
  expect(issuesOf({}, { unknown: 1 })).toHaveLength(1);
});

import { namesOf } from "./csv.ts";
import { type ArticleInput, LLM_PROVIDERS, WRITING_STRATEGIES } from "#shared/article/article.ts";

const anyOf = (words: readonly string[]) => `${words.join(", ")}; optional`;

/** The columns of a CSV file of article jobs, with all names under which each is recognised. */
export function CsvColumns({ writers }: { writers: readonly string[] | undefined }) {
  const columns: Record<keyof ArticleInput, string> = {
    publisherDomain: "The site that publishes the article; a path is fine",
    targetUrl: "The page that it links to",
    anchorText: "The text of the link",
    llmProvider: anyOf(writers === undefined ? LLM_PROVIDERS : ["auto", ...writers]),
    writingStrategy: anyOf(WRITING_STRATEGIES),
    country: "Two letters; optional",
  };
  return (
    <>
      <p className="mb-3 text-sm text-muted">
        One row for each article, below a line that names the columns. Separate cells with commas,
        semicolons, tabs or |, and put a cell that contains one of these in quotes (").
      </p>
      <dl className="space-y-2 text-sm">
        {Object.entries(columns).map(([field, meaning]) => {
          const [name, ...others] = namesOf(field);
          return (
            <div key={field}>
              <dt className="font-mono font-medium">{name}</dt>
              <dd className="text-muted">{meaning}</dd>
              {others.length > 0 && (
                <dd className="text-xs text-muted">
                  Also called <span className="font-mono">{others.join(", ")}</span>
                </dd>
              )}
            </div>
          );
        })}
      </dl>
    </>
  );
}

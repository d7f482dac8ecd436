/** A job's input with labels, and a link to the form with the same input. */
import { Fragment } from "react";
import { STRATEGIES, WRITERS } from "#client/app/article/labels.ts";
import { ArticleInputSchema } from "#shared/article/article.schema.ts";
import type { ArticleInput } from "#shared/article/article.ts";
import { useReadOnly } from "#client/app/read-only.ts";
import { ButtonLink } from "./button.tsx";
import { Card } from "./card.tsx";

export function JobInput(props: { kind: string; input: unknown; settled: boolean }) {
  const { kind, input, settled } = props;
  if (typeof input !== "object" || input === null) return null;
  const article = articleOf(kind, input);
  return (
    <Card
      title="Input"
      actions={
        settled && (
          <NewJobLink kind={kind} input={input}>
            New job with this input
          </NewJobLink>
        )
      }
    >
      <dl className="grid gap-x-6 gap-y-2 text-sm sm:grid-cols-[10rem_1fr]">
        {(article === undefined ? rowsOf(input) : rowsOfArticle(article)).map(([name, value]) => (
          <Fragment key={name}>
            <dt className="min-w-0 wrap-anywhere text-muted">{name}</dt>
            <dd className="min-w-0 break-words">{value}</dd>
          </Fragment>
        ))}
      </dl>
    </Card>
  );
}

/** Link to the filled-in form. Only for articles, because other kinds have no form. */
export function NewJobLink(props: { kind: string; input: unknown; children: string }) {
  const article = articleOf(props.kind, props.input);
  const readOnly = useReadOnly();
  return (
    !readOnly &&
    article !== undefined && <ButtonLink href={againHref(article)}>{props.children}</ButtonLink>
  );
}

function articleOf(kind: string, input: unknown): ArticleInput | undefined {
  return kind === "article" ? ArticleInputSchema.safeParse(input).data : undefined;
}

function againHref(input: ArticleInput): string {
  const given = rowsOf(input).filter(([, value]) => value !== "");
  return `/jobs/new?${new URLSearchParams(given).toString()}`;
}

function rowsOfArticle(input: ArticleInput): [string, string][] {
  const words = {
    ...input,
    llmProvider: WRITERS[input.llmProvider],
    writingStrategy: STRATEGIES[input.writingStrategy],
  };
  return rowsOf(words).map(([name, value]) => [
    ArticleInputSchema.shape[name as keyof ArticleInput].meta()?.title ?? name,
    value,
  ]);
}

function rowsOf(input: object): [string, string][] {
  return Object.entries(input).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === "string" ? value : (JSON.stringify(value) ?? ""),
  ]);
}

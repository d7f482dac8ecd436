/** A finished article: its text, copy and download buttons, sources and quality report. */
import { type ReactNode, useMemo } from "react";
import { languageName, STRATEGIES, WRITERS } from "./labels.ts";
import { safeHtml } from "./html.ts";
import { lowerHeadings } from "./headings.ts";
import type { ArticleOutput, PageProfile } from "#shared/article/article.ts";
import { Card } from "#client/app/ui/card.tsx";
import { CopyButton } from "#client/app/ui/copy-button.tsx";
import { SaveButton } from "#client/app/ui/save-button.tsx";
import { QualityReportCard } from "./quality-report.tsx";

export function ArticleView({ article }: { article: ArticleOutput }) {
  const html = useMemo(() => safeHtml(article.html), [article.html]);
  return (
    <>
      <Card
        title="Article"
        actions={
          <>
            <CopyButton label="Copy Markdown" text={article.markdown} />
            <CopyButton label="Copy HTML" text={html} />
            <SaveButton
              label="Markdown"
              name="article.md"
              type="text/markdown"
              text={article.markdown}
            />
            <SaveButton label="HTML" name="article.html" type="text/html" text={html} />
          </>
        }
      >
        <article
          lang={article.language}
          className="article-text max-w-prose break-words"
          // The HTML is sanitised, and the content security policy allows no scripts but the page's own.
          // oxlint-disable-next-line react/no-danger
          dangerouslySetInnerHTML={{ __html: lowerHeadings(html) }}
        />
      </Card>
      <QualityReportCard report={article.report} />
      <Card title="Sources">
        <div className="grid gap-6 md:grid-cols-2">
          <Profile of="Publisher" page={article.publisher} />
          <Profile of="Target" page={article.target} />
        </div>
      </Card>
      <Card title="How it was made">
        <dl className="grid gap-x-6 gap-y-3 sm:grid-cols-3">
          <Fact name="Writer">
            {WRITERS[article.writer.provider].replace(/ \(.*/, "")}
            {article.writer.model !== null && `, ${article.writer.model}`}
          </Fact>
          <Fact name="Strategy">{STRATEGIES[article.writer.strategy]}</Fact>
          <Fact name="Length">{article.words} words</Fact>
          <Fact name="Reading both pages">{seconds(article.timings.profile)}</Fact>
          <Fact name="Writing">{seconds(article.timings.write)}</Fact>
          <Fact name="Tokens in and out">
            {article.cost.inputTokens} / {article.cost.outputTokens}
          </Fact>
        </dl>
      </Card>
    </>
  );
}

function Profile({ of, page }: { of: string; page: PageProfile }) {
  return (
    <section aria-label={of} className="min-w-0 space-y-2 text-sm">
      <p className="text-xs text-muted">{of}</p>
      <p className="font-medium">{page.title}</p>
      <p>
        <a
          href={page.finalUrl}
          target="_blank"
          rel="noreferrer"
          className="break-all text-accent underline underline-offset-2"
        >
          {page.finalUrl}
        </a>
      </p>
      <p className="text-muted">
        {page.words} words, {languageName(page.language)}, {page.tone} tone
      </p>
      <ul className="flex flex-wrap gap-1" aria-label="Key terms">
        {page.keyTerms.slice(0, 10).map((term) => (
          <li key={term} className="rounded-full bg-sunken px-2 py-0.5 text-xs">
            {term}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Fact(props: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt className="text-xs text-muted">{props.name}</dt>
      <dd className="tabular-nums">{props.children}</dd>
    </div>
  );
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

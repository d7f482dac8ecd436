/** Finds the article's links to the target, and the related terms around them. */
import { relatedTerms, type Brief } from "#server/kinds/article/brief.ts";
import { termsIn } from "#server/kinds/article/text/key-terms.ts";
import { sentencesOf } from "#server/kinds/article/text/sentences.ts";
import { paragraphsOf, type Article, type ArticleLink, type Block } from "./article.ts";
import { THRESHOLDS } from "./thresholds.ts";

export interface Anchor {
  block: Block;
  link: ArticleLink;
}

/** All links to the target, with any text. */
export function targetLinks(article: Article, targetUrl: string): Anchor[] {
  return article.blocks.flatMap((block) =>
    block.links
      .filter((link) => sameAddress(link.href, targetUrl))
      .map((link) => ({ block, link })),
  );
}

/** The links to the target that carry the anchor text. */
export function anchorsOf(article: Article, brief: Brief): Anchor[] {
  const wanted = folded(brief.anchorText);
  return targetLinks(article, brief.targetUrl).filter(({ link }) => folded(link.text) === wanted);
}

export function sameAddress(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && address(one) === address(other);
}

/** Related terms in the sentences around an anchor, including those of the neighbouring paragraphs. */
export function termsAround(article: Article, { block, link }: Anchor, brief: Brief): string[] {
  const sentences: string[] = [];
  let center = -1;
  for (const paragraph of paragraphsOf(article)) {
    let read = 0;
    for (const sentence of sentencesOf(paragraph.text, brief.language)) {
      const start = paragraph.text.indexOf(sentence.slice(0, 20), read);
      if (paragraph === block && start <= link.offset) center = sentences.length;
      read = Math.max(read, start);
      sentences.push(sentence);
    }
  }
  if (center === -1) return [];
  const reach = THRESHOLDS.relatedTermsReach;
  const around = sentences.slice(Math.max(0, center - reach), center + reach + 1);
  return termsIn(around.join(" "), relatedTerms(brief), brief.target.profile.language);
}

function address(text: string): string {
  // `markdownLink` percent-encodes parentheses.
  return new URL(text).href.replaceAll("%28", "(").replaceAll("%29", ")");
}

function folded(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().toLowerCase();
}

/** Repairs failed rules that have a mechanical remedy, and leaves everything else as it is. */
import { relatedTerms, type Brief } from "#server/kinds/article/brief.ts";
import { termsIn } from "#server/kinds/article/text/key-terms.ts";
import { escapeMarkdown } from "#server/kinds/article/text/markdown.ts";
import { sentencesOf } from "#server/kinds/article/text/sentences.ts";
import { anchorSentence } from "#server/kinds/article/write/offline/anchor-paragraph.ts";
import { trustSentence } from "#server/kinds/article/write/offline/compose.ts";
import { phrasesFor } from "#server/kinds/article/write/offline/phrases.ts";
import { anchorsOf, targetLinks, termsAround, type Anchor } from "./anchor.ts";
import {
  articleMarkdown,
  paragraphsOf,
  parseArticle,
  proseOf,
  type Article,
  type Block,
} from "./article.ts";
import { strayLinks } from "./measures.ts";
import { THRESHOLDS } from "./thresholds.ts";
import { topicsOf } from "./topics.ts";

const PARAGRAPHS_TRIED = 3;
/** Sentences tried in each of these paragraphs. */
const PLACES_TRIED = 50;

type Mend = (article: Article, brief: Brief) => string;

/** By rule id, in the order in which they run: links are removed before one is inserted. */
const MENDS: readonly (readonly [rule: string, mend: Mend])[] = [
  ["links", (article, brief) => unlink(article, new Set(strayLinks(article, brief)))],
  ["anchor-place", takeFromEdges],
  ["anchor", takeSurplus],
  ["anchor", addAnchor],
  ["anchor-place", addAnchor],
  ["title", addTitle],
  ["trust-source", addTrustSource],
  ["disclaimer", addDisclaimers],
];

/** `failed`: ids of rules. Returns the mended Markdown, or the same Markdown where no remedy applies. */
export function mend(markdown: string, brief: Brief, failed: ReadonlySet<string>): string {
  return MENDS.filter(([rule]) => failed.has(rule)).reduce(
    (text, [, mended]) => mended(parseArticle(text), brief),
    markdown,
  );
}

function unlink(article: Article, addresses: ReadonlySet<string>): string {
  for (const block of article.blocks) {
    for (const link of block.links) {
      if (addresses.has(link.href)) toText({ block, link });
    }
  }
  return articleMarkdown(article);
}

function takeFromEdges(article: Article, brief: Brief): string {
  const paragraphs = paragraphsOf(article);
  for (const anchor of targetLinks(article, brief.targetUrl)) {
    const { block } = anchor;
    const edge = block === paragraphs[0] || block === paragraphs.at(-1);
    if (edge || block.kind === "title" || block.kind === "heading") toText(anchor);
  }
  return articleMarkdown(article);
}

function takeSurplus(article: Article, brief: Brief): string {
  const named = anchorsOf(article, brief).map(({ link }) => link);
  const surplus = targetLinks(article, brief.targetUrl)
    .toSorted((a, b) => Number(named.includes(b.link)) - Number(named.includes(a.link)))
    .slice(THRESHOLDS.anchorLinks.most);
  for (const anchor of surplus) toText(anchor);
  return articleMarkdown(article);
}

/** Inserts the link into the paragraph, of those with most related terms, where it comes closest to the allowed number. */
function addAnchor(article: Article, brief: Brief): string {
  const markdown = articleMarkdown(article);
  if (anchorsOf(article, brief).length > 0) return markdown;
  const terms = relatedTerms(brief);
  const { language } = brief.target.profile;
  const paragraphs = paragraphsOf(article)
    .slice(1, -1)
    .toSorted(
      (a, b) => termsIn(b.text, terms, language).length - termsIn(a.text, terms, language).length,
    )
    .slice(0, PARAGRAPHS_TRIED);
  const sentence = anchorSentence(brief, phrasesFor(brief.language));
  let best = { markdown, off: Infinity };
  for (const block of paragraphs) {
    const { raw } = block;
    for (const at of placesIn(block, brief.language)) {
      block.raw = `${raw.slice(0, at)} ${sentence}${raw.slice(at)}`;
      const mended = articleMarkdown(article);
      block.raw = raw;
      const off = offMark(mended, brief);
      if (off < best.off || best.markdown === markdown) best = { markdown: mended, off };
    }
  }
  return best.markdown;
}

/** Offsets in `raw` at which sentences end. Sentences with markup are not found. */
function placesIn({ raw, text }: Block, language: string): number[] {
  const places = [raw.trimEnd().length];
  for (const sentence of sentencesOf(text, language).slice(0, PLACES_TRIED)) {
    const at = raw.indexOf(sentence);
    if (at !== -1) places.push(at + sentence.length);
  }
  return places;
}

/** Distance of the number of related terms around the anchor from the middle of the allowed range. */
function offMark(markdown: string, brief: Brief): number {
  const article = parseArticle(markdown);
  const [anchor] = anchorsOf(article, brief);
  if (anchor === undefined) return Infinity;
  const { least, most } = THRESHOLDS.relatedTerms;
  return Math.abs(termsAround(article, anchor, brief).length - (least + most) / 2);
}

/** Keeps the first title and makes headings of the others. Without a title, the target's topic becomes one. */
function addTitle(article: Article, brief: Brief): string {
  const [first, ...others] = article.blocks.filter(({ kind }) => kind === "title");
  for (const block of others) block.raw = block.raw.replace(/^#/, "##");
  if (first !== undefined) return articleMarkdown(article);
  const title = phrasesFor(brief.language).title(brief.target.topic);
  return `# ${escapeMarkdown(title)}\n\n${articleMarkdown(article)}`;
}

function addTrustSource(article: Article, brief: Brief): string {
  const sentence = trustSentence(brief, phrasesFor(brief.language));
  const last = paragraphsOf(article).at(-1);
  if (last !== undefined) last.raw = `${sentence}\n\n${last.raw}`;
  return articleMarkdown(article);
}

function addDisclaimers(article: Article, brief: Brief): string {
  const prose = proseOf(article);
  const language = brief.language === "sv" ? "sv" : "en";
  const missing = topicsOf(brief).filter(({ accepts }) => !accepts.test(prose));
  const notes = missing.map(({ disclaimer }) => `*${disclaimer[language]}*\n\n`);
  return `${articleMarkdown(article).trimEnd()}\n\n${notes.join("")}`;
}

function toText({ block, link }: Anchor): void {
  block.raw = block.raw.replace(link.raw, () => escapeMarkdown(link.text));
}

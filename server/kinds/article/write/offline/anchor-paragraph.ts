/** Composes the paragraph with the link from target sentences, chosen for enough related terms around it. */
import { relatedTerms, type Brief } from "#server/kinds/article/brief.ts";
import { THRESHOLDS } from "#server/kinds/article/check/thresholds.ts";
import { termsIn } from "#server/kinds/article/text/key-terms.ts";
import { escapeMarkdown, markdownLink } from "#server/kinds/article/text/markdown.ts";
import { countWords } from "#server/kinds/article/text/words.ts";
import type { QuotedSection, Quotable } from "./quotations.ts";
import type { Phrases } from "./phrases.ts";

export interface AnchorPlan {
  section: QuotedSection;
  before: Quotable[];
  after: Quotable[];
}

/** The middle of the allowed range, so that a word more or less does no harm. */
const AIM = (THRESHOLDS.relatedTerms.least + THRESHOLDS.relatedTerms.most) / 2;
const SENTENCES = 4;
/** Matches anchor texts that are imperatives ("Read more") and not noun phrases, in several languages. */
const ORDER =
  /^(?:buy|click|check|discover|download|find|get|go|here|learn|look|more|order|read|see|shop|sign|start|this|try|view|visit|website|beställ|besök|gå|hitta|här|klicka|kolla|köp|ladda|läs|mer|prova|se|testa|titta|upptäck|hemsida)(?![\p{L}\d])/iu;
/** Bounds the number of combinations. */
const CANDIDATES = 10;

export function planAnchor(
  sections: readonly QuotedSection[],
  brief: Brief,
): AnchorPlan | undefined {
  const terms = relatedTerms(brief);
  const { language } = brief.target.profile;
  let best: { plan: AnchorPlan; distance: number } | undefined;
  for (const section of sections) {
    for (const sentences of combinations(section.sentences.slice(0, CANDIDATES), SENTENCES)) {
      const half = Math.ceil(sentences.length / 2);
      const text = sentences.map((sentence) => sentence.text).join(" ");
      const distance = Math.abs(termsIn(text, terms, language).length - AIM);
      if (best !== undefined && distance >= best.distance) continue;
      best = {
        plan: { section, before: sentences.slice(0, half), after: sentences.slice(half) },
        distance,
      };
    }
  }
  return best?.plan;
}

export function anchorSentence(brief: Brief, phrases: Phrases): string {
  const { anchorText, target, targetUrl } = brief;
  const inSentence =
    countWords(anchorText) <= 8 &&
    !/[.:!?]$|:\/\/|www\./i.test(anchorText) &&
    !ORDER.test(anchorText);
  return phrases.anchor(
    escapeMarkdown(target.siteName),
    markdownLink(anchorText, targetUrl),
    inSentence,
  );
}

/** Combinations of `size` items in order; all items where there are at most `size`. */
function combinations<T>(items: readonly T[], size: number): T[][] {
  if (items.length <= size) return [[...items]];
  if (size === 0) return [[]];
  const [first, ...rest] = items as [T, ...T[]];
  return [
    ...combinations(rest, size - 1).map((others) => [first, ...others]),
    ...combinations(rest, size),
  ];
}

/**
 * Composes an article from quotations of both pages, as a reading guide that says that it is one.
 * Equal briefs give equal articles.
 */
import { createHash } from "node:crypto";
import type { Brief } from "#server/kinds/article/brief.ts";
import { THRESHOLDS } from "#server/kinds/article/check/thresholds.ts";
import { topicsOf } from "#server/kinds/article/check/topics.ts";
import { trustSource } from "#server/kinds/article/check/trust.ts";
import { termsIn } from "#server/kinds/article/text/key-terms.ts";
import { escapeMarkdown, markdownLink } from "#server/kinds/article/text/markdown.ts";
import { countWords } from "#server/kinds/article/text/words.ts";
import { anchorSentence, planAnchor } from "./anchor-paragraph.ts";
import { quotationsOf, type Quotations, type QuotedSection, type Quotable } from "./quotations.ts";
import { onTheSubject, outline } from "./outline.ts";
import { phrasesFor, type Phrases } from "./phrases.ts";
import { createQuoter } from "./quote.ts";

export interface Composed {
  title: string;
  parts: ComposedPart[];
}

export interface ComposedPart {
  /** `undefined` for the introduction. */
  heading: string | undefined;
  /** Each paragraph as Markdown sentences. */
  paragraphs: string[][];
}

/** Increasing amounts of quotation; the first that makes a long enough article wins. */
const MEASURES = [
  { targetSections: 3, own: 3, quotations: 2 },
  { targetSections: 4, own: 4, quotations: 2 },
  { targetSections: 4, own: 4, quotations: 3 },
  { targetSections: 5, own: 5, quotations: 3 },
] as const;
type Measure = (typeof MEASURES)[number];
/** A margin above the minimum, so that a mended sentence cannot fail the rule. */
const ENOUGH_WORDS = THRESHOLDS.words.least + 50;
const SHARED_WORDS = 3;

export function compose(brief: Brief): Composed {
  let composed: Composed = { title: "", parts: [] };
  for (const measure of MEASURES) {
    composed = composeOnce(brief, measure);
    if (wordsIn(composed) >= ENOUGH_WORDS) break;
  }
  return composed;
}

function composeOnce(brief: Brief, measure: Measure): Composed {
  const language = brief.language === "sv" ? "sv" : "en";
  const phrases = phrasesFor(language);
  const quoter = createQuoter(phrases, language, rotation(brief));
  const publisher = quotationsOf(brief.publisher);
  const target = quotationsOf(brief.target);
  const plan = outline(publisher, target, createHeadings(phrases), measure.targetSections);
  const anchor = planAnchor(plan.target, brief);
  const used = new Set<Quotable>();
  const take = (sentences: readonly Quotable[], most: number): Quotable[] => {
    const taken = sentences.filter((sentence) => !used.has(sentence)).slice(0, most);
    for (const sentence of taken) used.add(sentence);
    return taken;
  };

  const opening = take(plan.opening === undefined ? [] : [plan.opening], 1);
  const parts: ComposedPart[] = [
    {
      heading: undefined,
      paragraphs: [
        [
          ...quoter.quote(publisher, opening),
          ...(opening.length > 0 ? [sourcesOf(brief, phrases)] : []),
        ],
        [...sharedWords(brief, phrases), phrases.method],
      ],
    },
  ];
  if (plan.publisher !== undefined) {
    const own = quoter.quote(publisher, take(plan.publisher.sentences, measure.own));
    const lead = quoter.quote(target, take(plan.lead, measure.quotations));
    parts.push({ heading: plan.publisher.heading, paragraphs: [own, lead] });
  }
  for (const section of plan.target) {
    const paragraphs: string[][] = [];
    let quoted: Quotable[];
    if (anchor?.section === section) {
      const before = take(anchor.before, anchor.before.length);
      const after = take(anchor.after, anchor.after.length);
      quoted = [...before, ...after];
      paragraphs.push([
        ...quoter.quote(target, before),
        anchorSentence(brief, phrases),
        ...quoter.goOn(target, after),
      ]);
    } else {
      quoted = take(section.sentences, measure.quotations);
      paragraphs.push(quoter.quote(target, quoted));
    }
    const answer = take(onTheSubject(publisher, quoted, used), measure.quotations);
    paragraphs.push(quoter.quote(publisher, answer));
    parts.push({ heading: section.heading, paragraphs });
  }
  parts.push({
    heading: phrases.sourcesHeading,
    paragraphs: [
      [trustSentence(brief, phrases)],
      [phrases.closing],
      ...topicsOf(brief).map(({ disclaimer }) => [`*${disclaimer[language]}*`]),
    ],
  });
  return {
    title: phrases.title(brief.target.topic),
    parts: parts
      .map((part) => ({ ...part, paragraphs: part.paragraphs.filter(({ length }) => length > 0) }))
      .filter(({ paragraphs }) => paragraphs.length > 0),
  };
}

export function trustSentence(brief: Brief, phrases: Phrases): string {
  const source = trustSource(brief);
  const link = markdownLink(source.name, source.url);
  if (source.namedBy !== undefined) return phrases.trustNamed(escapeMarkdown(source.namedBy), link);
  return source.search === undefined
    ? phrases.trustListed(link)
    : phrases.trustSearch(link, escapeMarkdown(source.search));
}

function wordsIn({ parts }: Composed): number {
  return countWords(parts.flatMap(({ paragraphs }) => paragraphs.flat()).join(" "));
}

function sourcesOf(brief: Brief, phrases: Phrases): string {
  return phrases.sources({
    publisher: escapeMarkdown(brief.publisher.siteName),
    publisherTopic: escapeMarkdown(brief.publisher.topic),
    target: escapeMarkdown(brief.target.siteName),
    targetTopic: escapeMarkdown(brief.target.topic),
  });
}

function sharedWords({ publisher, target }: Brief, phrases: Phrases): string[] {
  const { keyTerms, language } = target.profile;
  if (language !== publisher.profile.language) return [];
  const shared = termsIn(publisher.profile.keyTerms.join(" "), keyTerms, language).slice(
    0,
    SHARED_WORDS,
  );
  if (shared.length < 2) return [];
  return [
    phrases.sharedWords(phrases.list(shared.map((word) => phrases.quoted(escapeMarkdown(word))))),
  ];
}

/** Names sections without a heading by their most frequent key term that is not taken yet. */
function createHeadings(
  phrases: Phrases,
): (quotations: Quotations, section: QuotedSection) => string {
  const taken = new Set<string>();
  return ({ page }, section) => {
    const text = section.sentences.map((sentence) => sentence.text).join(" ");
    const term = termsIn(text, page.profile.keyTerms, page.profile.language).find(
      (found) => !taken.has(found),
    );
    if (term === undefined) return page.siteName;
    taken.add(term);
    return phrases.heading(page.siteName, term);
  };
}

function rotation({ publisher, target, anchorText }: Brief): number {
  const key = `${publisher.profile.finalUrl}\n${target.profile.finalUrl}\n${anchorText}`;
  return createHash("sha256").update(key).digest().readUInt16BE(0);
}

/** Plans the quotations: pairs sections of the target with the publisher's sentences on the same subject. */
import type { Quotations, QuotedSection, Quotable } from "./quotations.ts";

export interface Outline {
  opening: Quotable | undefined;
  /** The publisher's section that is closest to the target's subject. */
  publisher: QuotedSection | undefined;
  /** Sentences of the target before its first heading. */
  lead: Quotable[];
  /** Sections of the target, in the page's order. */
  target: QuotedSection[];
}

const FEWEST_SENTENCES = 2;
const MOST = 3;
/** Sentences per section where a text has no headings. */
const CHUNK = 5;
const NOT_CONTENT =
  /^(?:about|appendix|authors?|comments?|conclusions?|contact|contents|cookies?|examples?|faq|footnotes|further reading|getting started|introduction|links|more|newsletter|notes|overview|preface|related|references|see also|share|sources|summary|table of contents|exempel|fotnoter|inledning|innehåll|introduktion|kommentarer|kontakt|källor|länkar|läs mer|nyhetsbrev|dela|om oss|relaterat|sammanfattning|översikt|vanliga frågor)\b/i;

export function outline(
  publisher: Quotations,
  target: Quotations,
  headingFor: (quotations: Quotations, section: QuotedSection) => string,
  targetSections: number,
): Outline {
  const targetStems = stemsOfAll(target.sections);
  const publisherStems = stemsOfAll(publisher.sections);
  const own = best(usable(publisher, headingFor), (section) => overlap(section, targetStems));
  const opening = publisher.sections
    .filter((section) => section !== own)
    .flatMap(({ sentences }) => sentences)
    .find((sentence) => !own?.sentences.includes(sentence));
  const sections = usable(target, headingFor);
  const chosen = new Set(
    sections
      .toSorted((a, b) => overlap(b, publisherStems) - overlap(a, publisherStems))
      .slice(0, targetSections),
  );
  const lead = target.sections.find(({ heading }) => heading === "")?.sentences ?? [];
  return {
    opening,
    publisher: own,
    lead: lead.filter(
      (sentence) => !sections.some((section) => section.sentences.includes(sentence)),
    ),
    target: sections.filter((section) => chosen.has(section)),
  };
}

/** A few sentences of one section of a page that share words with the given sentences. */
export function onTheSubject(
  quotations: Quotations,
  others: readonly Quotable[],
  used: ReadonlySet<Quotable>,
): Quotable[] {
  const stems = new Set(others.flatMap((sentence) => [...sentence.stems]));
  const candidates = quotations.sections.map(({ sentences }) =>
    sentences
      .filter((sentence) => !used.has(sentence))
      .map((sentence) => ({ sentence, shared: shared(sentence.stems, stems) }))
      .filter(({ shared }) => shared > 0)
      .toSorted((a, b) => b.shared - a.shared)
      .slice(0, MOST),
  );
  const found = best(candidates, (section) => section[0]?.shared ?? 0);
  // A single common word may be a coincidence.
  if (found?.[0] === undefined || found[0].shared < 2) return [];
  return found.map(({ sentence }) => sentence).toSorted((a, b) => a.place - b.place);
}

function usable(
  quotations: Quotations,
  headingFor: (quotations: Quotations, section: QuotedSection) => string,
): QuotedSection[] {
  const headed = quotations.sections.filter(
    ({ heading, sentences }) =>
      heading !== "" && !NOT_CONTENT.test(heading) && sentences.length >= FEWEST_SENTENCES,
  );
  if (headed.length > 1) return headed;
  const all = quotations.sections.flatMap(({ sentences }) => sentences);
  const chunks: QuotedSection[] = [];
  for (let at = 0; at + FEWEST_SENTENCES <= all.length; at += CHUNK) {
    const sentences = all.slice(at, at + CHUNK);
    chunks.push({ heading: headingFor(quotations, { heading: "", sentences }), sentences });
  }
  return chunks;
}

function overlap(section: QuotedSection, stems: ReadonlySet<string>): number {
  return section.sentences
    .slice(0, 4)
    .reduce((sum, sentence) => sum + shared(sentence.stems, stems), 0);
}

function stemsOfAll(sections: readonly QuotedSection[]): Set<string> {
  return new Set(
    sections.flatMap(({ sentences }) => sentences.flatMap((sentence) => [...sentence.stems])),
  );
}

function shared(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  return one.intersection(other).size;
}

function best<T>(items: readonly T[], score: (item: T) => number): T | undefined {
  let found: T | undefined;
  for (const item of items) {
    if (found === undefined || score(item) > score(found)) found = item;
  }
  return found;
}

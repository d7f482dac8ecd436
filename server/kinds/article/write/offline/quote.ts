/** Introduces quotations by phrases, each of which is used once before any is reused. */
import { escapeMarkdown } from "#server/kinds/article/text/markdown.ts";
import type { Quotations, Quotable } from "./quotations.ts";
import type { Phrase, Phrases } from "./phrases.ts";

export interface Quoter {
  /** Sentences of Markdown that quote `sentences` from one page, in its order. The first names the site. */
  quote(quotations: Quotations, sentences: readonly Quotable[]): string[];
  /** The same for sentences that follow a mention of the site. */
  goOn(quotations: Quotations, sentences: readonly Quotable[]): string[];
}

interface Sentence {
  text: string;
  endsInPassage: boolean;
}

/** `start` rotates the phrases, so that articles on different pages begin differently. */
export function createQuoter(phrases: Phrases, language: string, start: number): Quoter {
  const uses = new Map<Phrase, number>();

  function pick(bank: readonly Phrase[], statement: boolean, afterPassage: boolean): Phrase {
    const turned = bank.map((_, at) => bank[(at + start) % bank.length] as Phrase);
    // Two passages must never touch: they would count as one long copied passage.
    const fits = turned.filter(
      ({ form }) => (form !== "clause" || statement) && (form !== "inverted" || !afterPassage),
    );
    const used = (phrase: Phrase): number => uses.get(phrase) ?? 0;
    const phrase = fits.reduce((best, next) => (used(next) < used(best) ? next : best));
    uses.set(phrase, used(phrase) + 1);
    return phrase;
  }

  function write(
    bank: readonly Phrase[],
    quotations: Quotations,
    { text }: Quotable,
    afterPassage: boolean,
  ): Sentence {
    const statement = language === "en" && canFollowThat(text, quotations.smallWords);
    const { form, write: written } = pick(bank, statement, afterPassage);
    const sentence = written(escapeMarkdown(quotations.page.siteName), passage(form, text));
    return { text: sentence, endsInPassage: form !== "inverted" };
  }

  function goOn(
    quotations: Quotations,
    sentences: readonly Quotable[],
    before: Sentence | undefined,
  ): string[] {
    const written: string[] = [];
    let last = before;
    for (const sentence of sentences) {
      last = write(phrases.follow, quotations, sentence, last?.endsInPassage ?? false);
      written.push(last.text);
    }
    return written;
  }

  function passage(form: Phrase["form"], text: string): string {
    if (form === "clause") return escapeMarkdown(text.charAt(0).toLowerCase() + text.slice(1));
    if (form === "quote") return phrases.quoted(escapeMarkdown(text));
    // English puts the comma inside the quotation marks; Swedish puts it outside, as part of the phrase.
    const open = text.replace(/\.$/, language === "en" ? "," : "");
    return phrases.quoted(escapeMarkdown(open));
  }

  return {
    quote(quotations, [first, ...rest]) {
      if (first === undefined) return [];
      const lead = write(phrases.lead, quotations, first, false);
      return [lead.text, ...goOn(quotations, rest, lead)];
    },
    goOn: (quotations, sentences) => goOn(quotations, sentences, undefined),
  };
}

const SUBJECT_STARTS =
  /^(?:a|an|the|every|each|most|many|some|several|few|no|all|both|two|three|four|five|six|seven|eight|nine|ten|nothing|nobody|everything|everybody|anyone|another)\s/i;
const PLURAL_OR_GERUND = /^(?:\p{L}+[^s\W]s|\p{L}{3,}ing)\s/u;

/** True for statements that begin with their subject, unless it is a name: imperatives and adverbs cannot follow "that". */
function canFollowThat(text: string, smallWords: ReadonlySet<string>): boolean {
  if (SUBJECT_STARTS.test(text)) return true;
  const first = /^[\p{L}'’-]+/u.exec(text)?.[0].toLowerCase() ?? "";
  return smallWords.has(first) && PLURAL_OR_GERUND.test(text);
}

/** Key terms of a page, most important first, by frequency and by occurrence in the title or a heading. */
import { stem } from "./stem.ts";
import { stopWords } from "./stop-words.ts";
import { wordsOf } from "./words.ts";

export interface TermSources {
  title: string;
  description: string;
  headings: readonly string[];
  text: string;
}

const WEIGHTS = { title: 4, description: 2, headings: 2, text: 1 };
const SHORTEST = 4;
/** Longer character sequences are not words. */
const LONGEST = 60;

export function keyTerms(sources: TermSources, language: string, limit: number): string[] {
  const stops = stopWords(language);
  const terms = new Map<string, { score: number; forms: Map<string, number> }>();
  const add = (text: string, weight: number): void => {
    for (const word of wordsOf(text)) {
      if (word.length < SHORTEST || word.length > LONGEST) continue;
      if (stops.has(word) || /^\d/.test(word)) continue;
      const key = stem(word, language);
      const term = terms.get(key) ?? { score: 0, forms: new Map<string, number>() };
      term.score += weight;
      term.forms.set(word, (term.forms.get(word) ?? 0) + 1);
      terms.set(key, term);
    }
  };
  add(sources.title, WEIGHTS.title);
  add(sources.description, WEIGHTS.description);
  add(sources.headings.join(" "), WEIGHTS.headings);
  add(sources.text, WEIGHTS.text);
  return [...terms.values()]
    .toSorted((a, b) => b.score - a.score)
    .slice(0, limit)
    .map(({ forms }) => commonest(forms));
}

/** The `terms` that occur in a text, in any inflection. */
export function termsIn(text: string, terms: readonly string[], language: string): string[] {
  const stems = new Set(wordsOf(text).map((word) => stem(word, language)));
  return terms.filter((term) => stems.has(stem(term, language)));
}

function commonest(forms: Map<string, number>): string {
  let best = "";
  let most = 0;
  for (const [form, count] of forms) {
    if (count > most) [best, most] = [form, count];
  }
  return best;
}

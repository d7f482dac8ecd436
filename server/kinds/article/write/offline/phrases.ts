/**
 * The words between the quotations, one file for each language the offline writer knows.
 * Each phrase must be true, and grammatical, of any sentence that it may be given.
 */
import { ENGLISH } from "./phrases-en.ts";
import { SWEDISH } from "./phrases-sv.ts";

export interface Phrases {
  /** For the first quotation of a paragraph. */
  lead: readonly Phrase[];
  /** For the next one from the same page, which stands further down there. */
  follow: readonly Phrase[];
  quoted(text: string): string;
  list(words: readonly string[]): string;
  title(topic: string): string;
  /** After the first quotation: where it is from, and what it is read with. */
  sources(names: SourceNames): string;
  sharedWords(words: string): string;
  method: string;
  /** For sections of pages that have no headings. */
  heading(site: string, term: string): string;
  /** `link` is part of the sentence, or stands by itself where it cannot be. */
  anchor(site: string, link: string, inSentence: boolean): string;
  sourcesHeading: string;
  trustNamed(site: string, link: string): string;
  trustListed(link: string): string;
  trustSearch(link: string, term: string): string;
  closing: string;
}

export interface SourceNames {
  publisher: string;
  publisherTopic: string;
  target: string;
  targetTopic: string;
}

export interface Phrase {
  /**
   * `quote`: the whole sentence in quotation marks; `inverted`: the same, with words after it;
   * `clause`: it goes on after "that", which only statements can that begin with their subject.
   */
  form: "quote" | "inverted" | "clause";
  /** `passage` comes with the punctuation that its form needs. */
  write(site: string, passage: string): string;
}

/** English where the language is not known here. */
export function phrasesFor(language: string): Phrases {
  return language === "sv" ? SWEDISH : ENGLISH;
}

/**
 * The phrases between quotations; one file for each language of the offline writer.
 * Each phrase must be true and grammatical with any sentence that it may introduce.
 */
import { ENGLISH } from "./phrases-en.ts";
import { SWEDISH } from "./phrases-sv.ts";

export interface Phrases {
  /** Introduce the first quotation of a paragraph. */
  lead: readonly Phrase[];
  /** Introduce the next quotation from the same page, which stands further down on it. */
  follow: readonly Phrase[];
  quoted(text: string): string;
  list(words: readonly string[]): string;
  title(topic: string): string;
  /** Follows the first quotation: names its source and the page that it is read with. */
  sources(names: SourceNames): string;
  sharedWords(words: string): string;
  method: string;
  /** Heading for a section of a page without headings. */
  heading(site: string, term: string): string;
  /** `inSentence`: whether `link` is part of the sentence or follows it. */
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
   * `quote`: the whole sentence in quotation marks; `inverted`: the same, followed by the phrase; `clause`: the sentence
   * follows "that", which only suits statements that begin with their subject.
   */
  form: "quote" | "inverted" | "clause";
  /** `passage` has the punctuation that its form needs. */
  write(site: string, passage: string): string;
}

/** Falls back to English for other languages. */
export function phrasesFor(language: string): Phrases {
  return language === "sv" ? SWEDISH : ENGLISH;
}

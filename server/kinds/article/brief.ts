/** What a writer knows, and what it hands over. */
import type { Page } from "./page/page.ts";
import { termsIn } from "./text/key-terms.ts";

export interface Brief {
  publisher: Page;
  target: Page;
  targetUrl: string;
  anchorText: string;
  /** ISO 3166-1 alpha-2. */
  country: string | undefined;
  /** The publisher's: the article is written for its readers. */
  language: string;
}

export interface Desk {
  readonly signal: AbortSignal;
  /** Appends to the draft that people watch. */
  draft(text: string): Promise<void>;
  /** How much of the writing is done, 0..1, and what is being done now. */
  step(done: number, message: string): Promise<void>;
}

export interface Written {
  markdown: string;
  inputTokens: number;
  outputTokens: number;
}

/** Rejects with `Failure`, `Transient`, or the reason of the desk's signal. */
export type Write = (brief: Brief, desk: Desk) => Promise<Written>;

/** Words that belong to the target's subject, without those of the anchor itself. */
export function relatedTerms({ target, anchorText }: Brief): string[] {
  const { keyTerms, language } = target.profile;
  const own = new Set(termsIn(anchorText, keyTerms, language));
  return keyTerms.filter((term) => !own.has(term));
}

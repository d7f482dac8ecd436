/** The input and the output of a writer. */
import type { Page } from "./page/page.ts";
import { termsIn } from "./text/key-terms.ts";

export interface Brief {
  publisher: Page;
  target: Page;
  targetUrl: string;
  anchorText: string;
  /** ISO 3166-1 alpha-2. */
  country: string | undefined;
  /** The publisher's language: the article is written for the publisher's readers. */
  language: string;
}

export interface Desk {
  readonly signal: AbortSignal;
  /** For the model's server alone: pages are of strangers. */
  readonly traceparent?: string | undefined;
  /** Appends to the draft that people watch. */
  draft(text: string): Promise<void>;
  /** Reports progress: the share of the writing that is done, 0..1, and the current step. */
  step(done: number, message: string): Promise<void>;
}

export interface Written {
  markdown: string;
  inputTokens: number;
  outputTokens: number;
}

/** Rejects with `Failure`, `Transient`, or the abort reason of the desk's signal. */
export type Write = (brief: Brief, desk: Desk) => Promise<Written>;

/** Key terms of the target's subject, without the words of the anchor text. */
export function relatedTerms({ target, anchorText }: Brief): string[] {
  const { keyTerms, language } = target.profile;
  const own = new Set(termsIn(anchorText, keyTerms, language));
  return keyTerms.filter((term) => !own.has(term));
}

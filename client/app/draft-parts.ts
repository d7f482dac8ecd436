/** Splits a draft's Markdown into headings, links and plain text while it is written. Concatenated `raw` texts equal the draft. Pure. */

export interface DraftPart {
  type: "plain" | "heading" | "link";
  raw: string;
  /** The text to show. */
  text: string;
}

/** The address of a link may be unfinished at the end of a draft. */
const MARKED = /^(#{1,6} .*)$|(\[[^\]\n]+\]\([^)\s]*(?:\)|(?![^])))/m;

export function draftParts(draft: string): DraftPart[] {
  // Splitting by two capture groups yields plain, heading, link, plain, …; of heading and link, one is undefined.
  return draft.split(MARKED).flatMap((raw: string | undefined, index): DraftPart[] => {
    if (raw === undefined || raw === "") return [];
    switch (index % 3) {
      case 1:
        return [{ type: "heading", raw, text: wordsOf(raw.replace(/^#+ +/, "")) }];
      case 2:
        return [{ type: "link", raw, text: wordsOf(raw) }];
      default:
        return [{ type: "plain", raw, text: raw }];
    }
  });
}

/** Replaces links by their texts. */
function wordsOf(markdown: string): string {
  return markdown.replace(/\[([^\]]+)\]\([^)\s]*\)?/g, "$1");
}

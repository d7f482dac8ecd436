/** The Markdown of a draft, cut into what is shown as such while it is written. Nothing is lost: the raw texts make up the draft. Pure. */

export interface DraftPart {
  type: "plain" | "heading" | "link";
  raw: string;
  /** What people read. */
  text: string;
}

/** A link's address may be unfinished where the draft ends. */
const MARKED = /^(#{1,6} .*)$|(\[[^\]\n]+\]\([^)\s]*(?:\)|(?![^])))/m;

export function draftParts(draft: string): DraftPart[] {
  // Splitting by two groups gives, over and over: plain, heading, link. One of the two is not there.
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

/** Without the addresses of links. */
function wordsOf(markdown: string): string {
  return markdown.replace(/\[([^\]]+)\]\([^)\s]*\)?/g, "$1");
}

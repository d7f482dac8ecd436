/** All limits of the quality rules. */
export const THRESHOLDS = {
  anchorLinks: { least: 1, most: 2 },
  relatedTerms: { least: 6, most: 10 },
  /** Sentences on each side of the anchor in which related terms count. */
  relatedTermsReach: 2,
  words: { least: 350, most: 2500 },
  paragraphs: 5,
  sections: 3,
  /** Flesch Reading Ease, higher is easier. */
  flesch: 35,
  /** LIX, lower is easier. */
  lix: 55,
  /** Words in a row that may also stand on the target page. */
  copiedRun: 26,
  /** Shorter matches count as coincidence. */
  copiedRunCounts: 6,
  /** Percent of the article's words in such matches. */
  copiedShare: 40,
  /** Percent of the article's sentences that are in its language. */
  language: 80,
  /** Key terms that both pages have in common. */
  sharedTerms: 2,
  /** Words that each page needs before short quotations can make an article. */
  sourceWords: 150,
} as const;

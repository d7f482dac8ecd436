/**
 * Splits running text into sentences. `Intl.Segmenter` knows the punctuation of each language but not its
 * abbreviations, so a segment that ends in one is joined with the next segment.
 */
const ABBREVIATION =
  /(?:^|[\s(“"])(?:e\.g|i\.e|etc|approx|vs|no|mr|mrs|ms|dr|prof|st|t\.ex|bl\.a|d\.v\.s|dvs|m\.m|s\.k|osv|ca|jfr|nr|kl|max|min|\p{Lu})\.\s*$/iu;

const LONGEST_ABBREVIATION = 12;

export function sentencesOf(text: string, language: string): string[] {
  const sentences: string[] = [];
  let pending = "";
  let tail = "";
  for (const { segment } of segmenter(language).segment(text.replaceAll(/\s+/g, " "))) {
    pending += segment;
    // Not `pending`: concatenating that for each segment would take quadratic time.
    tail = (tail + segment).slice(-LONGEST_ABBREVIATION);
    if (ABBREVIATION.test(tail)) continue;
    sentences.push(pending.trim());
    pending = "";
    tail = "";
  }
  if (pending.trim() !== "") sentences.push(pending.trim());
  return sentences.filter((sentence) => sentence !== "");
}

function segmenter(language: string): Intl.Segmenter {
  return new Intl.Segmenter(language === "und" ? "en" : language, { granularity: "sentence" });
}

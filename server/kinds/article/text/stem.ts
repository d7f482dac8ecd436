/**
 * Light stemming, enough to match "tomato" with "tomatoes" and "odling" with "odlingen".
 * Stems are compared, never shown.
 */
interface Stemming {
  /** Longest first; only one is removed. */
  suffixes: readonly string[];
  /** Letters that must remain. */
  shortest: number;
}

const LANGUAGES: Record<string, Stemming> = {
  en: { suffixes: ["ies", "ing", "es", "ed", "s", "y"], shortest: 4 },
  sv: {
    suffixes:
      "ornas arnas ernas orna arna erna ande ades ade ens ets ans or ar er en et an na ad as s a n t e".split(
        " ",
      ),
    shortest: 3,
  },
};

export function stem(word: string, language: string): string {
  const stemming = LANGUAGES[language];
  if (stemming === undefined) return word;
  const { suffixes, shortest } = stemming;
  const suffix = suffixes.find((end) => word.endsWith(end) && word.length - end.length >= shortest);
  const cut = suffix === undefined ? word : word.slice(0, -suffix.length);
  // "cutting" matches "cut", "using" matches "use".
  return language === "en" &&
    /(?:e|(?<double>[^aeiouls])\k<double>)$/.test(cut) &&
    cut.length > shortest
    ? cut.slice(0, -1)
    : cut;
}

/**
 * Light stems, enough to see that "tomato" and "tomatoes", "odling" and "odlingen" are one word.
 * They are compared, never shown.
 */
const SUFFIXES: Record<string, readonly string[]> = {
  en: ["ies", "es", "ing", "ed", "s", "y"],
  sv: [
    "ornas",
    "arnas",
    "ernas",
    "orna",
    "arna",
    "erna",
    "ande",
    "ades",
    "ade",
    "ens",
    "ets",
    "or",
    "ar",
    "er",
    "en",
    "et",
    "na",
    "ad",
    "as",
    "s",
    "a",
    "n",
    "t",
    "e",
  ],
};
const SHORTEST = 4;

export function stem(word: string, language: string): string {
  const suffix = SUFFIXES[language]?.find(
    (end) => word.endsWith(end) && word.length - end.length >= SHORTEST,
  );
  const cut = suffix === undefined ? word : word.slice(0, -suffix.length);
  return language === "en" &&
    cut.length > SHORTEST &&
    /(?:e|(?<double>[^aeiouls])\k<double>)$/.test(cut)
    ? cut.slice(0, -1)
    : cut;
}

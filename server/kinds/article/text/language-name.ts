/** Names of languages. Separate from language detection, whose tables only threads load. */
export const UNKNOWN_LANGUAGE = "und";

/** In English: `Swedish`. */
export function languageName(language: string): string {
  if (language === UNKNOWN_LANGUAGE) return "an unknown language";
  return new Intl.DisplayNames("en", { type: "language" }).of(language) ?? language;
}

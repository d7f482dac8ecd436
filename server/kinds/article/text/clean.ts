/** Removes characters that no reader is meant to see. */

/** Stands where a decoder, or a reference such as `&#55357;`, found no character. */
const REPLACEMENT = "\uFFFD";
/** NUL, ESC and the like, without white space. */
const CONTROLS = /(?!\s)\p{Cc}/gu;
/** References that are not escaped by a backslash. */
const REFERENCES = /(?<=(?<!\\)(?:\\\\)*)&#(?:x([\da-f]{1,8})|(\d{1,8}));/gi;
const LAST_CODE_POINT = 0x10ffff;

/** Keeps U+FFFD, which marks a sentence as damaged. */
export function withoutControls(text: string): string {
  return text.replaceAll(CONTROLS, "");
}

export function isDamaged(text: string): boolean {
  return text.includes(REPLACEMENT);
}

/** Removes control characters and U+FFFD. */
export function clean(text: string): string {
  return withoutControls(text).replaceAll(REPLACEMENT, "");
}

/** Escapes references to such characters instead of removing them: their removal could join a new reference. */
export function cleanMarkdown(markdown: string): string {
  return clean(markdown).replaceAll(
    REFERENCES,
    (reference, hex: string | undefined, decimal: string) => {
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      const isCharacter = code <= LAST_CODE_POINT && clean(String.fromCodePoint(code)) !== "";
      return isCharacter && !(code >= 0xd800 && code <= 0xdfff) ? reference : `\\${reference}`;
    },
  );
}

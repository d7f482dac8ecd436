/** Takes characters out of text that no reader is meant to see. */

/** Left by a decoder, or by a reference such as `&#55357;`, where there was no character. */
const REPLACEMENT = "\uFFFD";
/** NUL, ESC and the like, but not white space. */
const CONTROLS = /(?!\s)\p{Cc}/gu;
/** Not where a backslash makes it text. */
const REFERENCES = /(?<=(?<!\\)(?:\\\\)*)&#(?:x([\da-f]{1,8})|(\d{1,8}));/gi;
const LAST_CODE_POINT = 0x10ffff;

/** U+FFFD stays, so that a sentence with it is known to be damaged. */
export function withoutControls(text: string): string {
  return text.replaceAll(CONTROLS, "");
}

export function isDamaged(text: string): boolean {
  return text.includes(REPLACEMENT);
}

/** Neither control characters nor U+FFFD. */
export function clean(text: string): string {
  return withoutControls(text).replaceAll(REPLACEMENT, "");
}

/** References to such characters become text: taken out, they could leave another one. */
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

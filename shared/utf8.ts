/** Tells UTF-8 with a few damaged bytes from text in an older charset. */

/** What the bytes of a text are as UTF-8. */
export interface Utf8Tally {
  /** Bytes that are part of no character. */
  broken: number;
  /** Whether most of what is beyond ASCII says UTF-8. */
  likely: boolean;
}

/**
 * Windows-1252 has a sequence of two bytes by chance where a capital comes before a sign, as in `CAFÉ»`. Of three it has
 * none: they would read `â€™`. Text in EUC-JP reaches two and a half sequences of two bytes for each broken place.
 */
const EVIDENCE = { ofTwoBytes: 1, ofMore: 4, againstBrokenPlace: 4 };

/** Bytes in a row that one character leaves when it loses one. */
const MOST_LEFT = 3;

/** `bytes` have no byte order mark. */
export function tallyUtf8(bytes: Uint8Array): Utf8Tally {
  let broken = 0;
  let evidence = 0;
  /** Broken bytes in a row, up to here. */
  let run = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = lengthAt(bytes, at);
    if (length === 0) {
      broken += 1;
      if (run % MOST_LEFT === 0) evidence -= EVIDENCE.againstBrokenPlace;
      run += 1;
    } else {
      if (length > 1) evidence += length === 2 ? EVIDENCE.ofTwoBytes : EVIDENCE.ofMore;
      run = 0;
    }
    at += length || 1;
  }
  return { broken, likely: broken === 0 || evidence >= 0 };
}

/**
 * Bytes of the character that begins at `at`, 0 where none does.
 *
 * https://encoding.spec.whatwg.org/#utf-8-decoder
 */
function lengthAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (let next = 1; next < length; next += 1) {
    if (((bytes[at + next] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  const second = bytes[at + 1] ?? 0;
  const tooLong = (first === 0xe0 && second < 0xa0) || (first === 0xf0 && second < 0x90);
  const noCodePoint = (first === 0xed && second > 0x9f) || (first === 0xf4 && second > 0x8f);
  return tooLong || noCodePoint ? 0 : length;
}

/** Distinguishes UTF-8 with a few damaged bytes from text in an older charset. */

/** Counts of a text's bytes, read as UTF-8. */
export interface Utf8Tally {
  /** Bytes that are not part of any character. */
  broken: number;
  /** True if most non-ASCII bytes are valid UTF-8. */
  likely: boolean;
}

/**
 * In windows-1252, a capital before a sign, as in `CAFÉ»`, is a valid two-byte sequence by chance. Valid three-byte
 * sequences do not occur: they would read `â€™`. EUC-JP has up to two and a half valid two-byte sequences for each
 * broken place.
 */
const EVIDENCE = { ofTwoBytes: 1, ofMore: 4, againstBrokenPlace: 4 };

/** Most consecutive bytes that remain of a character that lost one. */
const MOST_LEFT = 3;

/** `bytes` must not have a byte order mark. */
export function tallyUtf8(bytes: Uint8Array): Utf8Tally {
  let broken = 0;
  let evidence = 0;
  /** Length of the current run of broken bytes. */
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
 * Length in bytes of the character that begins at `at`; 0 if none does.
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

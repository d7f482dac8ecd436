/**
 * Decodes HTML as browsers do: byte order mark, then the header's charset, then what the page declares. A page that
 * declares nothing is UTF-8 if nearly all of it decodes as that, else windows-1252.
 *
 * https://html.spec.whatwg.org/#determining-the-character-encoding
 */
import { parseMIMEType } from "undici";
import { charsetOf } from "./charset-label.ts";
import { declaredCharset } from "./declared-charset.ts";

/** Of 100 characters beyond ASCII in a UTF-8 page, those that may be broken; a single one always may. */
const MOST_BROKEN_PERCENT = 10;

export function decodeHtml(bytes: Uint8Array, contentType: string): string {
  const charset = signatureOf(bytes) ?? charsetOfHeader(contentType);
  if (charset !== undefined) return new TextDecoder(charset).decode(bytes);
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const declared = declaredCharset(source);
  if (declared !== undefined) return new TextDecoder(declared).decode(bytes);
  const text = new TextDecoder("utf-8").decode(bytes);
  return !text.includes("\uFFFD") || isNearlyAllUtf8(source)
    ? text
    : new TextDecoder("windows-1252").decode(bytes);
}

/** The charset of a byte order mark, or of `<?x` in UTF-16. */
function signatureOf(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 6)).toString("hex");
  if (start.startsWith("efbbbf")) return "utf-8";
  if (start.startsWith("feff") || start === "003c003f0078") return "utf-16be";
  if (start.startsWith("fffe") || start === "3c003f007800") return "utf-16le";
  return undefined;
}

/** Where a server sends the header twice, both stand in it, with a comma between; the last one counts. */
function charsetOfHeader(contentType: string): string | undefined {
  for (const header of [contentType, ...contentType.split(",").toReversed()]) {
    const type = parseMIMEType(header);
    const label = type === "failure" ? undefined : type.parameters.get("charset");
    const charset = label === undefined ? undefined : charsetOf(label);
    if (charset !== undefined) return charset;
  }
  return undefined;
}

/** `source`: a page that is not all UTF-8, a character for each byte. */
function isNearlyAllUtf8(source: string): boolean {
  // A page may hold U+FFFD itself; it is not broken there, so any other character takes its place.
  const bytes = Buffer.from(source.replaceAll("\xEF\xBF\xBD", "\xC3\xA9"), "latin1");
  // A character that lost one byte leaves up to three.
  const intact = new TextDecoder("utf-8").decode(bytes).split(/\uFFFD{1,3}/);
  const broken = intact.length - 1;
  let whole = 0;
  for (const text of intact) {
    for (const character of text) if (character > "\x7F") whole += 1;
  }
  return whole > 0 && (broken === 1 || broken * 100 <= MOST_BROKEN_PERCENT * (whole + broken));
}

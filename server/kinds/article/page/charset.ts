/**
 * Decodes HTML as browsers do: byte order mark, then the header's charset, then the page's own declaration. A page
 * without any is UTF-8 if most of it decodes as that, else windows-1252. UTF-16 is detected without a mark as well.
 *
 * https://html.spec.whatwg.org/#determining-the-character-encoding
 */
import { parseMIMEType } from "undici";
import { tallyUtf8 } from "#shared/utf8.ts";
import { charsetOf } from "./charset-label.ts";
import { declaredCharset } from "./declared-charset.ts";

/** Bytes at the start of a page that are examined for UTF-16, whose ASCII tags have a NUL in each character. */
const UTF16_PROBE = 1024;

export function decodeHtml(bytes: Uint8Array, contentType: string): string {
  const charset = signatureOf(bytes) ?? charsetOfHeader(contentType);
  if (charset !== undefined) return new TextDecoder(charset).decode(bytes);
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const declared = declaredCharset(source);
  if (declared !== undefined) return new TextDecoder(declared).decode(bytes);
  return new TextDecoder(tallyUtf8(bytes).likely ? "utf-8" : "windows-1252").decode(bytes);
}

/** The charset of a byte order mark, or UTF-16 where the pattern of NULs proves it. */
function signatureOf(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 3)).toString("hex");
  if (start === "efbbbf") return "utf-8";
  if (start.startsWith("feff")) return "utf-16be";
  if (start.startsWith("fffe")) return "utf-16le";
  return unmarkedUtf16(bytes);
}

/** Text in other charsets has no NUL; UTF-16 has one in each ASCII character, always in the same half. */
function unmarkedUtf16(bytes: Uint8Array): string | undefined {
  const probe = bytes.subarray(0, UTF16_PROBE);
  let even = 0;
  let odd = 0;
  for (const [at, byte] of probe.entries()) {
    if (byte === 0 && at % 2 === 0) even += 1;
    else if (byte === 0) odd += 1;
  }
  // At least a quarter of the characters must be ASCII.
  const enough = probe.length / 2 / 4;
  if (even > enough && odd * 10 < even) return "utf-16be";
  if (odd > enough && even * 10 < odd) return "utf-16le";
  return undefined;
}

/** A header that a server sends twice arrives joined with a comma; the last one counts. */
function charsetOfHeader(contentType: string): string | undefined {
  for (const header of [contentType, ...contentType.split(",").toReversed()]) {
    const type = parseMIMEType(header);
    const label = type === "failure" ? undefined : type.parameters.get("charset");
    const charset = label === undefined ? undefined : charsetOf(label);
    if (charset !== undefined) return charset;
  }
  return undefined;
}

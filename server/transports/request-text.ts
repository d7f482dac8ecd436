/**
 * Bytes of a request as text. What is not text in the charset that was declared (UTF-8 where none was) is refused: a
 * replacement character would be stored in its place.
 */
import { isUtf8 } from "node:buffer";
import { MIMEType } from "node:util";

/** For people: it says what to send instead. */
export class NotText extends Error {
  override readonly name = "NotText";
}

/** Throws `NotText`. A byte order mark is left off. */
export function decodeBody(bytes: Uint8Array, contentType: string): string {
  const charset = charsetOf(contentType);
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch (cause) {
    const message =
      cause instanceof RangeError
        ? `The charset "${charset}" of the body is not known. Send the body as UTF-8.`
        : `The body is not ${charset}. Send it as UTF-8, or name its charset in Content-Type: application/json; charset=…`;
    throw new NotText(message, { cause });
  }
}

/** Throws `NotText`. Node itself refuses what is not ASCII and not percent-encoded. */
export function checkAddress(url: string): void {
  const runs = url.match(/(?:%[\da-f]{2})+/gi) ?? [];
  if (isUtf8(Buffer.from(runs.join("%20").replaceAll("%", ""), "hex"))) return;
  throw new NotText(
    "The address holds percent-encoded bytes that are not UTF-8. Encode its text with encodeURIComponent.",
  );
}

function charsetOf(contentType: string): string {
  try {
    return new MIMEType(contentType).params.get("charset") ?? "utf-8";
  } catch {
    return "utf-8";
  }
}

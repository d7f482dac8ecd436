/**
 * Decodes the bytes of a request as text. It refuses bytes that are invalid in the declared charset (UTF-8 by default), as
 * the engine would store replacement characters in their place.
 */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { MIMEType } from "node:util";
import { cutText } from "#shared/cut-text.ts";

const NAME_IT =
  "Send it as UTF-8, or name its charset in Content-Type: application/json; charset=…";
const PLAIN = new Set(["", "identity", "chunked"]);

/** The message is for people and says what to send instead. */
export class NotText extends Error {
  override readonly name = "NotText";
}

/** Decodes a JSON body, without its byte order mark. Throws `NotText`. */
export function decodeBody(bytes: Uint8Array, contentType: string): string {
  const charset = charsetOf(contentType);
  const encoding = encodingOf(bytes, charset);
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new NotText(`The body is not ${charset}. ${NAME_IT}`, { cause });
  }
  // Almost any bytes are valid UTF-16, but JSON begins with an ASCII character.
  if (isUtf16(encoding) && text.charCodeAt(0) > 0x7f) {
    throw new NotText(`The body is not JSON in ${encoding}. ${NAME_IT}`);
  }
  return text;
}

/** Returns the encoding under `TextDecoder`'s name. Throws `NotText`. */
function encodingOf(bytes: Uint8Array, charset: string): string {
  let encoding: string;
  try {
    ({ encoding } = new TextDecoder(charset));
  } catch (cause) {
    const message = `The charset "${charset}" of the body is unknown. Send the body as UTF-8.`;
    throw new NotText(message, { cause });
  }
  if (!isUtf16(encoding)) return encoding;
  // A byte order mark overrides the name: "utf-16" means either order. https://encoding.spec.whatwg.org/#bom-sniff
  const [first, second] = bytes;
  if (first === 0xfe && second === 0xff) return "utf-16be";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return encoding;
}

function isUtf16(encoding: string): boolean {
  return encoding.startsWith("utf-16");
}

/** Returns a message for people if the body has a content coding such as gzip, else `undefined`. */
export function codingFault({ headers }: IncomingMessage): string | undefined {
  const { "content-encoding": content = "", "transfer-encoding": transfer = "" } = headers;
  for (const [name, value] of [
    ["Content-Encoding", content],
    ["Transfer-Encoding", transfer],
  ] as const) {
    if (value.split(",").every((coding) => PLAIN.has(coding.trim().toLowerCase()))) continue;
    const shown = JSON.stringify(cutText(value, 60));
    return `The body has the ${name} ${shown}, but this server accepts none. Send the body uncompressed, without this header.`;
  }
  return undefined;
}

/** Throws `NotText`. Node itself refuses characters outside ASCII. */
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

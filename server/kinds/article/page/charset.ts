/** Decodes HTML as browsers do: byte order mark, then the header's charset, then what the page says, then UTF-8. */
/** Where browsers stop looking for `<meta charset>`. */
const PRESCAN_BYTES = 1024;

export function decodeHtml(bytes: Uint8Array, contentType: string): string {
  const marked = byteOrderMark(bytes);
  const header = charsetIn(contentType);
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, PRESCAN_BYTES));
  for (const label of [marked, header, charsetOfMeta(start)]) {
    const decoder = label === undefined ? undefined : decoderFor(label);
    if (decoder !== undefined) return decoder.decode(bytes);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // Old pages that say nothing and are not UTF-8 are nearly always this.
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return undefined;
}

/** Of the first `<meta>` that names one. */
function charsetOfMeta(html: string): string | undefined {
  const [, ...rest] = html.split(/<meta/i);
  for (const text of rest) {
    const [tag = ""] = text.split(">", 1);
    const charset = charsetIn(tag);
    if (charset !== undefined) return charset;
  }
  return undefined;
}

/** `charset=utf-8`, quoted or not, with spaces around the sign. */
function charsetIn(text: string): string | undefined {
  const [, ...rest] = text.split(/charset/i);
  for (const value of rest) {
    const trimmed = value.trimStart();
    if (!trimmed.startsWith("=")) continue;
    const label = /^["']?[\w:-]+/.exec(trimmed.slice(1).trimStart())?.[0];
    if (label !== undefined) return label.replace(/^["']/, "");
  }
  return undefined;
}

function decoderFor(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label);
  } catch {
    return undefined;
  }
}

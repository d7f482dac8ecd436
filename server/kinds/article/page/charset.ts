/** Decodes HTML as browsers do: byte order mark, then the header's charset, then what the page says, then UTF-8. */
const META = /<meta[^>]+charset\s*=\s*["']?\s*([\w:-]+)/i;
/** Where browsers stop looking for `<meta charset>`. */
const PRESCAN_BYTES = 1024;

export function decodeHtml(bytes: Uint8Array, contentType: string): string {
  const marked = byteOrderMark(bytes);
  const header = /charset\s*=\s*["']?([\w:-]+)/i.exec(contentType)?.[1];
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, PRESCAN_BYTES));
  for (const label of [marked, header, META.exec(start)?.[1]]) {
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

function decoderFor(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label);
  } catch {
    return undefined;
  }
}

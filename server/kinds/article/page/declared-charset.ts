/**
 * The charset that an HTML page declares, by the rules of the HTML standard's prescan but on tokens, so that no
 * comment, attribute, script, style or title is taken for a tag. Browsers also honour a `<meta>` after the prescan's
 * 1,024 bytes (they parse the page again), so the whole page is scanned, in linear time.
 *
 * https://html.spec.whatwg.org/#prescan-a-byte-stream-to-determine-its-encoding
 */
import { Tokenizer, type TokenizerCallbacks } from "htmlparser2";
import { charsetOf } from "./charset-label.ts";

/** Longer than any real XML declaration. */
const LONGEST_XML_DECLARATION = 1000;
const CHARSET_IN_CONTENT = /charset\s*=\s*(?:"([^"]*)"|'([^']*)'|([^"'\s;][^\s;]*))/i;
const ENCODING_IN_XML = /encoding\s*=\s*(?:"([^"]*)"|'([^']*)')/;

/** `source`: the page with one character for each byte. Returns a name that `TextDecoder` knows. */
export function declaredCharset(source: string): string | undefined {
  const charset = charsetOfMetas(source) ?? charsetOfXml(source);
  // By the standard, a declaration that is readable as ASCII cannot be in UTF-16.
  if (charset?.startsWith("utf-16") === true) return "utf-8";
  return charset === "x-user-defined" ? "windows-1252" : charset;
}

/** The charset of the first `<meta>` that names a known one. */
function charsetOfMetas(source: string): string | undefined {
  let charset: string | undefined;
  /** Attributes of the open tag if it is a `<meta>`. */
  let attributes: Map<string, string> | undefined;
  let name = "";
  let value = "";
  const endTag = (): void => {
    if (attributes !== undefined) charset = charsetOfMeta(attributes);
    attributes = undefined;
    if (charset !== undefined) tokenizer.pause();
  };
  const callbacks: TokenizerCallbacks = {
    ...IGNORED,
    onopentagname: (start, end) => {
      attributes = source.slice(start, end).toLowerCase() === "meta" ? new Map() : undefined;
    },
    onattribname: (start, end) => {
      if (attributes !== undefined) name = source.slice(start, end).toLowerCase();
      value = "";
    },
    onattribdata: (start, end) => {
      if (attributes !== undefined) value = source.slice(start, end);
    },
    onattribend: () => {
      if (attributes?.has(name) === false) attributes.set(name, value);
    },
    onopentagend: endTag,
    onselfclosingtag: endTag,
  };
  const tokenizer = new Tokenizer({ decodeEntities: false }, callbacks);
  tokenizer.write(source);
  return charset;
}

function charsetOfMeta(attributes: ReadonlyMap<string, string>): string | undefined {
  const charset = attributes.get("charset");
  if (charset !== undefined) return charsetOf(charset);
  if (attributes.get("http-equiv")?.toLowerCase() !== "content-type") return undefined;
  return charsetOf(firstGroup(CHARSET_IN_CONTENT.exec(attributes.get("content") ?? "")));
}

/** `<?xml version="1.0" encoding="koi8-r"?>` at the very beginning. */
function charsetOfXml(source: string): string | undefined {
  const start = source.slice(0, LONGEST_XML_DECLARATION);
  if (!start.startsWith("<?xml")) return undefined;
  const [declaration = ""] = start.split(">", 1);
  return charsetOf(firstGroup(ENCODING_IN_XML.exec(declaration)));
}

function firstGroup(match: RegExpExecArray | null): string {
  return match?.slice(1).find((group) => group !== undefined) ?? "";
}

const ignore = (): void => {};
const IGNORED: TokenizerCallbacks = {
  onattribdata: ignore,
  onattribend: ignore,
  onattribentity: ignore,
  onattribname: ignore,
  oncdata: ignore,
  onclosetag: ignore,
  oncomment: ignore,
  ondeclaration: ignore,
  onend: ignore,
  onopentagend: ignore,
  onopentagname: ignore,
  onprocessinginstruction: ignore,
  onselfclosingtag: ignore,
  ontext: ignore,
  ontextentity: ignore,
};

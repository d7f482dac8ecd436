/** Decodes the HTML of a fetched page. */
import { decodeHtml } from "./charset.ts";
import type { FetchedHtml } from "./fetch-html.ts";
import { PageError } from "./page-error.ts";

const STARTS = ["<!doctype html", "<html"];
const LONGEST_START = 20;

/** Throws `PageError` where a page without a content type does not look like HTML. */
export function decodePage({ bytes, contentType }: Omit<FetchedHtml, "url">): string {
  const html = decodeHtml(bytes, contentType);
  if (contentType === "" && !looksLikeHtml(html)) {
    throw new PageError("PAGE_NOT_HTML", "has no content type and does not look like HTML");
  }
  return html;
}

/** Skips white space and comments before the first tag. */
function looksLikeHtml(html: string): boolean {
  let at = afterSpace(html, 0);
  while (html.startsWith("<!--", at)) {
    const end = html.indexOf("-->", at + "<!--".length);
    if (end === -1) return false;
    at = afterSpace(html, end + "-->".length);
  }
  const start = html.slice(at, at + LONGEST_START).toLowerCase();
  return STARTS.some((tag) => start.startsWith(tag) && !/^\w/.test(start.slice(tag.length)));
}

function afterSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && /^\s$/.test(text.charAt(at))) at += 1;
  return at;
}

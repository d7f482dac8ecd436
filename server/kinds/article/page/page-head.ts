/** Reads a page's metadata: title, site name, description, language and links. */
import { beginningOf } from "#shared/cut-text.ts";
import { clean } from "#server/kinds/article/text/clean.ts";
import { countWords } from "#server/kinds/article/text/words.ts";
import { LONGEST_ADDRESS, LONGEST_LANGUAGE, LONGEST_LINE, MOST_LINKS } from "./page-limits.ts";
import type { PageLink } from "./page.ts";

export interface PageHead {
  title: string;
  description: string;
  /** As declared (`sv-SE`), or empty. */
  language: string;
  siteName: string;
  topic: string;
}

/** In words. */
const LONGEST_NAME = 4;
/** Cuts the source of a line before its white space is collapsed. */
const LONGEST_RAW_LINE = 20 * LONGEST_LINE;
/** Separators between a page's title and its site's name. */
const TITLE_PARTS = / [|–—·»:-] /;

export function readHead(document: Document, url: URL): PageHead {
  const meta = (name: string): string =>
    line(
      document
        .querySelector(`meta[property="${name}"], meta[name="${name}"]`)
        ?.getAttribute("content"),
    );
  const heading = line(document.querySelector("h1")?.textContent);
  // As in browsers, the title may stand in the body, but an SVG's title does not count.
  const titled = line(document.querySelector("title:not(svg title)")?.textContent);
  const title = titled || meta("og:title") || heading || line(url.hostname);
  const siteName =
    meta("og:site_name") ||
    meta("application-name") ||
    siteInTitle(title, heading) ||
    line(url.hostname.replace(/^www\./, ""));
  return {
    title,
    description: meta("description") || meta("og:description"),
    language: beginningOf(
      line(document.documentElement.getAttribute("lang")) || meta("og:locale"),
      LONGEST_LANGUAGE,
    ),
    siteName,
    topic: topicOf(title, heading, siteName),
  };
}

/** Links to other hosts, in the order of the page. */
export function readLinks(document: Document, base: URL): PageLink[] {
  const links = new Map<string, PageLink>();
  for (const anchor of document.querySelectorAll("a[href]")) {
    const href = anchor.getAttribute("href") ?? "";
    // Dropped, not cut: a cut address leads elsewhere.
    if (href.length > LONGEST_ADDRESS) continue;
    const url = URL.canParse(href, base) ? new URL(href, base) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol) || url.host === base.host) continue;
    if (url.href.length > LONGEST_ADDRESS) continue;
    const text = line(anchor.textContent);
    if (text !== "" && !links.has(url.href)) links.set(url.href, { url: url.href, text });
    if (links.size === MOST_LINKS) break;
  }
  return [...links.values()];
}

/**
 * In "Growing tomatoes | Balcony Growers", the last part is the site's name if the page's heading is one of the two
 * parts, or if it is short enough for a name.
 */
function siteInTitle(title: string, heading: string): string | undefined {
  const parts = title.split(TITLE_PARTS);
  const last = parts.at(-1);
  if (parts.length < 2 || last === undefined) return undefined;
  return heading === parts[0] || heading === last || countWords(last) <= LONGEST_NAME
    ? last
    : undefined;
}

/** The heading, unless it is only the site's name or longer than the title without that name. */
function topicOf(title: string, heading: string, siteName: string): string {
  const parts = title.split(TITLE_PARTS).filter((part) => part !== siteName);
  const topic = parts.join(": ");
  if (heading !== "" && heading !== siteName && (topic === "" || heading.length < topic.length)) {
    return heading;
  }
  return topic || siteName;
}

function line(text: string | null | undefined): string {
  const raw = clean(beginningOf((text ?? "").trimStart(), LONGEST_RAW_LINE));
  return beginningOf(raw.replaceAll(/\s+/g, " ").trim(), LONGEST_LINE);
}

/** Sources that readers can rely on without knowing publisher or target: authorities, universities, encyclopedias. */
import type { Brief } from "#server/kinds/article/brief.ts";
import type { Page } from "#server/kinds/article/page/page.ts";
import { topicsOf } from "./topics.ts";

const SUFFIXES = [
  ".gov",
  ".gov.uk",
  ".gov.au",
  ".gc.ca",
  ".edu",
  ".ac.uk",
  ".edu.au",
  ".europa.eu",
  ".int",
  ".un.org",
];
const HOSTS = new Set([
  "wikipedia.org",
  "britannica.com",
  "nature.com",
  "bmj.com",
  "cochrane.org",
  "iso.org",
  "oecd.org",
  "un.org",
  "nhs.uk",
  "moneyhelper.org.uk",
  "gamcare.org.uk",
  "rhs.org.uk",
  "citizensadvice.org.uk",
  "1177.se",
  "boverket.se",
  "domstol.se",
  "energimyndigheten.se",
  "fi.se",
  "folkhalsomyndigheten.se",
  "havochvatten.se",
  "jordbruksverket.se",
  "konsumenternas.se",
  "konsumentverket.se",
  "lantmateriet.se",
  "livsmedelsverket.se",
  "ne.se",
  "naturvardsverket.se",
  "pensionsmyndigheten.se",
  "polisen.se",
  "regeringen.se",
  "riksbank.se",
  "riksdagen.se",
  "scb.se",
  "skatteverket.se",
  "slu.se",
  "smhi.se",
  "socialstyrelsen.se",
  "stodlinjen.se",
  "trafikverket.se",
  "transportstyrelsen.se",
  "vti.se",
]);

const LONGEST_NAME = 80;

export interface TrustSource {
  name: string;
  url: string;
  /** Site name of the page that links to it; `undefined` for a source from a list. */
  namedBy: string | undefined;
  /** The search term, where the address is a search. */
  search?: string;
}

export function isTrusted(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const host = new URL(address).hostname;
  if (SUFFIXES.some((suffix) => `.${host}`.endsWith(suffix))) return true;
  return host.split(".").some((_, at, labels) => HOSTS.has(labels.slice(at).join(".")));
}

/** Prefers a source that the target names, then the subject's, then one that the publisher names, then Wikipedia. */
export function trustSource(brief: Brief): TrustSource {
  const language = brief.language === "sv" ? "sv" : "en";
  const advice = topicsOf(brief)[0]?.advice[language];
  return (
    namedBy(brief.target) ??
    (advice === undefined ? undefined : { ...advice, namedBy: undefined }) ??
    namedBy(brief.publisher) ??
    encyclopedia(brief.target.profile.keyTerms[0] ?? brief.anchorText, language)
  );
}

function namedBy(page: Page): TrustSource | undefined {
  const link = page.links.find(({ url, text }) => isTrusted(url) && text.length <= LONGEST_NAME);
  return link === undefined
    ? undefined
    : { name: link.text, url: link.url, namedBy: page.siteName };
}

function encyclopedia(term: string, language: string): TrustSource {
  const url = `https://${language}.wikipedia.org/w/index.php?search=${encodeURIComponent(term)}`;
  return { name: "Wikipedia", url, namedBy: undefined, search: term };
}

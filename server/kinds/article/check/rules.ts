/** The quality rules, in the order of the report. Each measures one thing; the limits are in `thresholds.ts`. */
import { pluralize } from "#shared/pluralize.ts";
import type { QualityRule } from "#shared/article/article.ts";
import { LONGEST_FIGURE } from "#server/kinds/article/article-limits.ts";
import type { Brief } from "#server/kinds/article/brief.ts";
import { cutText } from "#shared/cut-text.ts";
import { termsIn } from "#server/kinds/article/text/key-terms.ts";
import { languageName } from "#server/kinds/article/text/language-name.ts";
import { flesch, lix } from "#server/kinds/article/text/readability.ts";
import { countWords } from "#server/kinds/article/text/words.ts";
import { anchorsOf, sameAddress, targetLinks, termsAround } from "./anchor.ts";
import { paragraphsOf, proseOf, titleOf, type Article } from "./article.ts";
import { copiedFromTarget, languageShare, sectionCount, strayLinks } from "./measures.ts";
import { THRESHOLDS as LIMITS } from "./thresholds.ts";
import { topicsOf } from "./topics.ts";
import { isTrusted } from "./trust.ts";

export interface Subject {
  article: Article;
  brief: Brief;
  /** True where the article consists of quotations: then the pages must have enough text to quote. */
  extractive: boolean;
}

export interface Measured {
  figure: string;
  limit: string;
  verdict: "passed" | "failed" | "skipped";
}

export interface Rule {
  id: string;
  /** Names the measured quantity without judging it, so that it reads right with each verdict. */
  label: string;
  measure(subject: Subject): Measured;
}

const MOST_ANCHORS = 10;
const LINKS_NAMED = 10;
const LONGEST_LINK = 200;

export const RULES: readonly Rule[] = [
  {
    id: "source-text",
    label: "Text to quote in both pages",
    measure({ brief, extractive }) {
      const limit = `${LIMITS.sourceWords} words each`;
      if (!extractive) return { figure: "not needed by this writer", limit, verdict: "skipped" };
      const words = [brief.publisher.profile.words, brief.target.profile.words] as const;
      return judged(
        words.every((count) => count >= LIMITS.sourceWords),
        `publisher ${words[0]}, target ${pluralize(words[1], "word")}`,
        limit,
      );
    },
  },
  {
    id: "common-ground",
    label: "Key terms that both pages share",
    measure({ brief, extractive }) {
      const limit = `${LIMITS.sharedTerms} at least`;
      if (!extractive) return { figure: "not needed by this writer", limit, verdict: "skipped" };
      const { keyTerms, language } = brief.target.profile;
      const shared = termsIn(brief.publisher.profile.keyTerms.join(" "), keyTerms, language);
      return judged(shared.length >= LIMITS.sharedTerms, shared.join(", ") || "none", limit);
    },
  },
  {
    id: "title",
    label: "Titles",
    measure({ article }) {
      const titles = article.blocks.filter((block) => block.kind === "title" && block.text !== "");
      return judged(titles.length === 1, `${titles.length}`, "1");
    },
  },
  {
    id: "words",
    label: "Length",
    measure({ article }) {
      const { least, most } = LIMITS.words;
      const words = countWords(proseOf(article));
      return judged(
        words >= least && words <= most,
        pluralize(words, "word"),
        `${least} to ${most}`,
      );
    },
  },
  {
    id: "paragraphs",
    label: "Paragraphs",
    measure({ article }) {
      const count = paragraphsOf(article).length;
      return judged(count >= LIMITS.paragraphs, `${count}`, `${LIMITS.paragraphs} at least`);
    },
  },
  {
    id: "sections",
    label: "Sections with a heading and text",
    measure({ article }) {
      const count = sectionCount(article);
      return judged(count >= LIMITS.sections, `${count}`, `${LIMITS.sections} at least`);
    },
  },
  {
    id: "anchor",
    label: "Links to the target with the anchor text",
    measure({ article, brief }) {
      const { least, most } = LIMITS.anchorLinks;
      const named = anchorsOf(article, brief).length;
      const all = targetLinks(article, brief.targetUrl).length;
      const links = pluralize(all, "link");
      const figure = all === named ? links : `${links}, ${named} with the anchor text`;
      return judged(named >= least && all <= most, figure, `${least} to ${most}`);
    },
  },
  {
    id: "anchor-place",
    label: "Place of the links to the target",
    measure({ article, brief }) {
      const paragraphs = paragraphsOf(article);
      const places = targetLinks(article, brief.targetUrl).map(({ block }) => {
        if (block.kind === "title" || block.kind === "heading") return "a heading";
        if (block === paragraphs[0]) return "the first paragraph";
        return block === paragraphs.at(-1) ? "the last paragraph" : "the body";
      });
      const ok = places.length > 0 && places.every((place) => place === "the body");
      return judged(ok, [...new Set(places)].join(", ") || "no link", "the body");
    },
  },
  {
    id: "anchor-context",
    label: `Related terms within ${LIMITS.relatedTermsReach} sentences of the anchor`,
    measure({ article, brief }) {
      const { least, most } = LIMITS.relatedTerms;
      const limit = `${least} to ${most}`;
      const anchors = anchorsOf(article, brief);
      if (anchors.length === 0) return judged(false, "no link", limit);
      // Further links fail the rule on their number.
      const counts = anchors
        .slice(0, MOST_ANCHORS)
        .map((anchor) => termsAround(article, anchor, brief));
      const ok = counts.every(({ length }) => length >= least && length <= most);
      return judged(
        ok,
        counts.map((terms) => `${terms.length} (${terms.join(", ")})`).join("; "),
        limit,
      );
    },
  },
  {
    id: "links",
    label: "Links to sites that are neither of the two pages nor trusted",
    measure({ article, brief }) {
      const others = strayLinks(article, brief);
      // Cut before joining: a few characters of Markdown can refer to a long address many times.
      const named = others.slice(0, LINKS_NAMED).map((address) => cutText(address, LONGEST_LINK));
      return judged(others.length === 0, named.join(", ") || "none", "none");
    },
  },
  {
    id: "trust-source",
    label: "Sources that readers can trust",
    measure({ article, brief }) {
      const links = article.blocks.flatMap((block) => block.links);
      const trusted = links.find(
        ({ href }) => isTrusted(href) && !sameAddress(href, brief.targetUrl),
      );
      return judged(
        trusted !== undefined,
        trusted === undefined ? "none" : new URL(trusted.href).hostname,
        "1 at least",
      );
    },
  },
  {
    id: "disclaimer",
    label: "Disclaimers for sensitive subjects",
    measure({ article, brief }) {
      const topics = topicsOf(brief);
      if (topics.length === 0) {
        return {
          figure: "no sensitive subject",
          limit: "one for each subject",
          verdict: "skipped",
        };
      }
      const prose = proseOf(article);
      const missing = topics.filter(({ accepts }) => !accepts.test(prose));
      const names = topics.map(({ name }) => name).join(", ");
      const figure =
        missing.length === 0 ? names : `missing for ${missing.map(({ name }) => name).join(", ")}`;
      return judged(missing.length === 0, figure, "one for each subject");
    },
  },
  {
    id: "language",
    label: "Language",
    measure({ article, brief }) {
      const share = languageShare(proseOf(article), brief.language);
      const name = languageName(brief.language);
      return judged(
        share >= LIMITS.language,
        `${share} % ${name}`,
        `${LIMITS.language} % at least`,
      );
    },
  },
  {
    id: "readability",
    label: "Readability",
    measure({ article, brief }) {
      const text = proseOf(article);
      if (brief.language === "sv") {
        const figure = Math.round(lix(text));
        return judged(figure > 0 && figure <= LIMITS.lix, `LIX ${figure}`, `${LIMITS.lix} at most`);
      }
      if (brief.language === "en") {
        const figure = Math.round(flesch(text));
        return judged(figure >= LIMITS.flesch, `Flesch ${figure}`, `${LIMITS.flesch} at least`);
      }
      return { figure: "no measure for this language", limit: "-", verdict: "skipped" };
    },
  },
  {
    id: "copied-run",
    label: "Longest passage taken word for word from the target",
    measure({ article, brief }) {
      const { longest } = copiedFromTarget(article, brief);
      return judged(
        longest <= LIMITS.copiedRun,
        pluralize(longest, "word"),
        `${LIMITS.copiedRun} at most`,
      );
    },
  },
  {
    id: "copied-share",
    label: "Share taken word for word from the target",
    measure({ article, brief }) {
      const { share } = copiedFromTarget(article, brief);
      const percent = Math.round(100 * share);
      return judged(
        percent <= LIMITS.copiedShare,
        `${percent} %`,
        `${LIMITS.copiedShare} % at most`,
      );
    },
  },
  {
    id: "leftovers",
    label: "Placeholders, or remarks of the writer about itself",
    measure({ article }) {
      const found = LEFTOVER.exec(`${titleOf(article)}\n${proseOf(article)}`)?.[0];
      return judged(found === undefined, found ?? "none", "none");
    },
  },
];

export function measureAll(subject: Subject): QualityRule[] {
  return RULES.map(({ id, label, measure }) => {
    const { figure, ...measured } = measure(subject);
    // A figure can quote words and addresses of the article.
    return { id, label, figure: cutText(figure, LONGEST_FIGURE), ...measured };
  });
}

const LEFTOVER =
  /\bas an ai\b|\bas a language model\b|\bi(?:'m| am) sorry, (?:but )?i\b|\bi cannot (?:help|assist|fulfil)|\blorem ipsum\b|\[(?:insert|your|todo)[^\]]{0,200}\]|\bsom en ai\b/i;

function judged(ok: boolean, figure: string, limit: string): Measured {
  return { figure, limit, verdict: ok ? "passed" : "failed" };
}

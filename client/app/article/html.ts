/** The HTML of an article, safe to render whatever made it. Needs a DOM. */
import DOMPurify from "dompurify";
import { ARTICLE_ATTRIBUTES, ARTICLE_TAGS } from "#shared/article/article-html.ts";

/** Addresses without a scheme, and values of other attributes, have no colon. */
const WEB_ADDRESS = /^(?:https?:|[^:]*$)/i;

export function safeHtml(html: string): string {
  return DOMPurify.sanitize(html, {
    ALLOWED_TAGS: ARTICLE_TAGS,
    ALLOWED_ATTR: Object.values(ARTICLE_ATTRIBUTES).flat(),
    ALLOWED_URI_REGEXP: WEB_ADDRESS,
    ALLOW_ARIA_ATTR: false,
    ALLOW_DATA_ATTR: false,
  });
}

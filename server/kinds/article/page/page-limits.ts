/**
 * Limits to which a page is cut when it is read, so that later steps work on bounded input.
 * Lengths are UTF-16 code units.
 */
/** Of the main text. */
export const MOST_CHARACTERS = 200_000;
export const MOST_ELEMENTS = 40_000;
/** Depth of the tree; deeper elements become siblings. */
export const MOST_LEVELS = 100;
/** Tags that are open at the same time: each end tag is compared with them. */
export const MOST_OPEN = 1000;
/** Of one element. Further attributes, and longer ones, are dropped. */
export const MOST_ATTRIBUTES = 100;
export const LONGEST_ATTRIBUTE = 8000;
/** Headings and paragraphs. */
export const MOST_BLOCKS = 5000;
export const MOST_SECTIONS = 200;
export const MOST_SENTENCES = 10_000;
/** Titles, descriptions, headings, site names and link texts. */
export const LONGEST_LINE = 300;
/** BCP 47 recommends buffers of 35 characters. */
export const LONGEST_LANGUAGE = 35;
export const MOST_LINKS = 200;
/** Of a link. Longer links are dropped. */
export const LONGEST_ADDRESS = 2000;
/** Of a redirect. A longer one fails the fetch. */
export const LONGEST_REDIRECT = 8000;
/** Of one response, in bytes. Chromium's limit: Node's own 16 KiB are too few for some sites. */
export const MOST_HEADER_BYTES = 256 * 1024;

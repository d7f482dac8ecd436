/**
 * Lengths to which a page is cut when it is read, so that everything after that works on known lengths.
 * Lengths are UTF-16 code units.
 */
/** Of the main text. */
export const MOST_CHARACTERS = 200_000;
export const MOST_ELEMENTS = 40_000;
/** Of the tree; deeper elements become siblings. */
export const MOST_LEVELS = 100;
/** Tags that are open at the same time: the cost of each end tag. */
export const MOST_OPEN = 1000;
/** Of an element. More of them, and what is longer, are left out. */
export const MOST_ATTRIBUTES = 100;
export const LONGEST_ATTRIBUTE = 8000;
/** Headings and paragraphs. */
export const MOST_BLOCKS = 5000;
export const MOST_SECTIONS = 200;
export const MOST_SENTENCES = 10_000;
/** Titles, descriptions, headings, names of sites and texts of links. */
export const LONGEST_LINE = 300;
/** BCP 47 advises to leave room for 35. */
export const LONGEST_LANGUAGE = 35;
export const MOST_LINKS = 200;
/** Of a link. A longer one is dropped. */
export const LONGEST_ADDRESS = 2000;
/** Of a redirect. A longer one ends the fetch. */
export const LONGEST_REDIRECT = 8000;
/** Of one answer, in bytes: as much as Chromium takes. Node's own 16 KiB are too few for some sites. */
export const MOST_HEADER_BYTES = 256 * 1024;

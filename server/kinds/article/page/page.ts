/** A page as the writers see it: the profile that people are shown, and the text behind it. */
import type { PageProfile } from "#shared/article.ts";

export interface Page {
  profile: PageProfile;
  /** What the page calls its site, else its host. */
  siteName: string;
  /** The title without the site's name. */
  topic: string;
  /** The main text in the order of the page; the first section has no heading where text precedes the first one. */
  sections: PageSection[];
  /** Addresses outside of the page's own host. */
  links: PageLink[];
}

export interface PageSection {
  heading: string;
  /** Sentences of each paragraph. */
  paragraphs: string[][];
}

export interface PageLink {
  url: string;
  text: string;
}

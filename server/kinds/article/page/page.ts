/** A page as writers see it: the profile that is shown to people, and the text behind it. */
import type { PageProfile } from "#shared/article/article.ts";

export interface Page {
  profile: PageProfile;
  /** The site's name from the page's metadata, else its host. */
  siteName: string;
  /** The title without the site's name. */
  topic: string;
  /** The main text in the order of the page. Text before the first heading is a section without heading. */
  sections: PageSection[];
  /** Links to other hosts. */
  links: PageLink[];
}

export interface PageSection {
  heading: string;
  /** Each paragraph as a list of sentences. */
  paragraphs: string[][];
}

export interface PageLink {
  url: string;
  text: string;
}

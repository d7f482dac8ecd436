/** A small brief for tests of single rules: two pages with known words. */
import type { Brief } from "#server/kinds/article/brief.ts";
import type { Page } from "#server/kinds/article/page/page.ts";

export const KEY_TERMS = [
  "water",
  "soil",
  "roots",
  "light",
  "reservoir",
  "wick",
  "plants",
  "container",
  "compost",
  "moisture",
  "sun",
  "pots",
];

export function testPage(more: Partial<Page["profile"]> = {}, links: Page["links"] = []): Page {
  return {
    profile: {
      url: "https://publisher.example/",
      finalUrl: "https://publisher.example/",
      title: "Garden",
      description: "",
      headings: [],
      excerpt: "",
      words: 500,
      language: "en",
      keyTerms: KEY_TERMS,
      tone: "neutral",
      ...more,
    },
    siteName: "Green Fingers",
    topic: "Garden",
    sections: [
      {
        heading: "Water",
        paragraphs: [
          [
            "A wick lifts water from the reservoir into the soil, and the roots drink from there whenever the sun has dried the upper part of the container a little.",
          ],
        ],
      },
    ],
    links,
  };
}

export function testBrief(more: Partial<Brief> = {}): Brief {
  const address = "https://target.example/planters";
  return {
    publisher: testPage(),
    target: testPage({ url: address, finalUrl: address }),
    targetUrl: address,
    anchorText: "clever planters",
    country: undefined,
    language: "en",
    ...more,
  };
}

/** Easy sentences with words that no rule counts. */
export function filler(words: number): string {
  const sentence = "We like to sit here in the evening and to look at all that we have done. ";
  return sentence.repeat(Math.ceil(words / 16)).trim();
}

export const LINK = "[clever planters](https://target.example/planters)";

/** An article that passes every rule of `testBrief`; its parts can be replaced. */
export function testArticle(
  parts: Partial<Record<"title" | "intro" | "anchor" | "end" | "filler", string>> = {},
): string {
  const {
    title = "# A garden on the balcony",
    intro = "This is a text about a small garden and the people who like to sit in it.",
    anchor = `It starts with water and good soil. Strong roots grow in a container of any kind. Some people use ${LINK} for it. A wick and a reservoir do the rest.`,
    end = "More can be read at [WaterSense](https://www.epa.gov/watersense).",
    filler: text = filler(150),
  } = parts;
  return [
    title,
    intro,
    "## First",
    text,
    "## Second",
    anchor,
    text,
    "## Third",
    text,
    end,
    "That is all there is to say about it for now.",
  ].join("\n\n");
}

import type { Phrases } from "./phrases.ts";

export const ENGLISH: Phrases = {
  lead: [
    { form: "quote", write: (site, passage) => `${site} writes: ${passage}` },
    { form: "clause", write: (site, passage) => `According to ${site}, ${passage}` },
    { form: "inverted", write: (site, passage) => `${passage} writes ${site}.` },
    { form: "clause", write: (site, passage) => `${site} explains that ${passage}` },
    { form: "quote", write: (site, passage) => `In the words of ${site}: ${passage}` },
    { form: "clause", write: (site, passage) => `${site} points out that ${passage}` },
    { form: "inverted", write: (site, passage) => `${passage} ${site} explains.` },
    { form: "clause", write: (site, passage) => `${site} notes that ${passage}` },
    { form: "quote", write: (site, passage) => `${site} describes it like this: ${passage}` },
    { form: "inverted", write: (site, passage) => `${passage} according to ${site}.` },
    { form: "quote", write: (site, passage) => `As ${site} puts it: ${passage}` },
  ],
  follow: [
    { form: "clause", write: (_, passage) => `The text adds that ${passage}` },
    { form: "quote", write: (_, passage) => `It goes on: ${passage}` },
    { form: "inverted", write: (_, passage) => `${passage} the page adds.` },
    { form: "clause", write: (_, passage) => `The page also says that ${passage}` },
    { form: "inverted", write: (_, passage) => `${passage} it continues.` },
    { form: "clause", write: (_, passage) => `The same text explains that ${passage}` },
    { form: "quote", write: (_, passage) => `Further down the page is this: ${passage}` },
    { form: "quote", write: (_, passage) => `Then comes this: ${passage}` },
    { form: "clause", write: (_, passage) => `The page mentions that ${passage}` },
    { form: "quote", write: (_, passage) => `The same page adds: ${passage}` },
    { form: "quote", write: (_, passage) => `To this the text adds: ${passage}` },
  ],
  quoted: (text) => `“${text}”`,
  list: (words) => new Intl.ListFormat("en-GB", { type: "conjunction" }).format(words),
  title: (topic) =>
    /[?!.]$/.test(topic) ? `${topic} A reading guide` : `${topic}: a reading guide`,
  sources: ({ publisherTopic, target, targetTopic }) =>
    `The sentence is from “${publisherTopic}”, and this guide reads that text side by side with “${targetTopic}” from ${target}.`,
  sharedWords: (words) => `Both texts return to the words ${words}.`,
  method:
    "What follows is put together from short passages of the two, with nothing added to their facts, and each passage says where it comes from.",
  heading: (site, term) => `${site} on “${term}”`,
  anchor: (site, link, inSentence) =>
    inSentence
      ? `${site} goes into more detail on its page about ${link}.`
      : `The whole text is at ${site}: ${link}`,
  sourcesHeading: "Sources and further reading",
  trustNamed: (site, link) => `Beyond these two pages, ${site} refers its readers to ${link}.`,
  trustListed: (link) => `Independent information on the subject is available from ${link}.`,
  trustSearch: (link, term) =>
    `Background from outside the two pages can be found by searching ${link} for “${term}”.`,
  closing:
    "The passages in this guide are a selection, and both pages have more to say than is quoted here. Where a detail matters, the original text is the better source.",
};

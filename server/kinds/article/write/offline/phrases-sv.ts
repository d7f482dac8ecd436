import type { Phrases } from "./phrases.ts";

/** Quotations only: a Swedish subordinate clause has another word order than the quoted sentence. */
export const SWEDISH: Phrases = {
  lead: [
    { form: "quote", write: (site, passage) => `${site} skriver: ${passage}` },
    { form: "inverted", write: (site, passage) => `${passage}, förklarar ${site}.` },
    { form: "quote", write: (site, passage) => `Hos ${site} står det: ${passage}` },
    { form: "inverted", write: (site, passage) => `${passage}, skriver ${site}.` },
    { form: "quote", write: (site, passage) => `${site} konstaterar: ${passage}` },
    { form: "inverted", write: (site, passage) => `${passage}, heter det hos ${site}.` },
    { form: "quote", write: (site, passage) => `Så här uttrycker ${site} saken: ${passage}` },
    { form: "inverted", write: (site, passage) => `${passage}, påpekar ${site}.` },
    { form: "quote", write: (site, passage) => `${site} beskriver det så här: ${passage}` },
    { form: "inverted", write: (site, passage) => `${passage}, går det att läsa hos ${site}.` },
    { form: "quote", write: (site, passage) => `Med orden hos ${site}: ${passage}` },
  ],
  follow: [
    { form: "quote", write: (_, passage) => `Texten fortsätter: ${passage}` },
    { form: "inverted", write: (_, passage) => `${passage}, tillägger texten.` },
    { form: "quote", write: (_, passage) => `Vidare står det: ${passage}` },
    { form: "quote", write: (_, passage) => `Det står också: ${passage}` },
    { form: "quote", write: (_, passage) => `Till det läggs: ${passage}` },
    { form: "quote", write: (_, passage) => `I texten finns även detta: ${passage}` },
    { form: "quote", write: (_, passage) => `Samma sida tillägger: ${passage}` },
    { form: "inverted", write: (_, passage) => `${passage}, fortsätter sidan.` },
    { form: "quote", write: (_, passage) => `Lite längre ner går det att läsa: ${passage}` },
    { form: "quote", write: (_, passage) => `Samma källa skriver: ${passage}` },
    { form: "quote", write: (_, passage) => `Därefter följer: ${passage}` },
  ],
  quoted: (text) => `”${text}”`,
  list: (words) => new Intl.ListFormat("sv", { type: "conjunction" }).format(words),
  title: (topic) => (/[?!.]$/.test(topic) ? `${topic} En läsguide` : `${topic}: en läsguide`),
  sources: ({ publisherTopic, target, targetTopic }) =>
    `Meningen är hämtad ur ”${publisherTopic}”, och den här läsguiden läser den texten tillsammans med ”${targetTopic}” från ${target}.`,
  sharedWords: (words) => `Båda texterna återkommer till orden ${words}.`,
  method:
    "Det som följer är sammanställt av korta utdrag ur de två, utan tillägg i sak, och varje utdrag anger var det kommer ifrån.",
  heading: (site, term) => `${site} om ”${term}”`,
  anchor: (site, link, inSentence) =>
    inSentence
      ? `Hela texten hos ${site} handlar om ${link}.`
      : `Hela texten finns hos ${site}: ${link}`,
  sourcesHeading: "Källor och vidare läsning",
  trustNamed: (site, link) => `Utöver de två sidorna hänvisar ${site} sina läsare till ${link}.`,
  trustListed: (link) => `Oberoende information om ämnet finns hos ${link}.`,
  trustSearch: (link, term) =>
    `Den som vill ha bakgrund från annat håll kan söka i ${link} efter ”${term}”.`,
  closing:
    "Utdragen i läsguiden är ett urval, och båda sidorna har mer att säga än det som citeras här. Där en detalj är avgörande är originaltexten den bättre källan.",
};

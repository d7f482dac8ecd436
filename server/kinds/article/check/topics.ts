/** Subjects that need a disclaimer, and independent sources of advice on them. */
import type { Brief } from "#server/kinds/article/brief.ts";
import { stem } from "#server/kinds/article/text/stem.ts";
import { wordsOf } from "#server/kinds/article/text/words.ts";

export interface Topic {
  name: "gambling" | "finance" | "health" | "legal" | "crypto";
  keywords: Record<string, string>;
  disclaimer: Record<string, string>;
  /** Matches every wording that counts as this subject's disclaimer. */
  accepts: RegExp;
  advice: Record<string, { name: string; url: string }>;
}

export const TOPICS: readonly Topic[] = [
  {
    name: "gambling",
    keywords: {
      en: "casino casinos betting bet bets gambling gamble poker slots jackpot wager odds bookmaker lottery roulette blackjack",
      sv: "casino kasino betting spelbolag poker spelautomater jackpot odds lotteri roulette blackjack insättning spelande vadslagning",
    },
    disclaimer: {
      en: "Gambling is for adults only and can be addictive. Only play with money that you can afford to lose, and seek help if it stops being fun.",
      sv: "Spel om pengar är bara för den som har fyllt 18 år och kan vara beroendeframkallande. Spela bara för pengar som du har råd att förlora, och sök hjälp om spelandet blir ett problem.",
    },
    accepts:
      /gambl\w{0,10} responsibly|can be addictive|18\+|stödlinjen|stodlinjen|beroendeframkallande/i,
    advice: {
      en: { name: "GamCare", url: "https://www.gamcare.org.uk/" },
      sv: { name: "Stödlinjen", url: "https://www.stodlinjen.se/" },
    },
  },
  {
    name: "crypto",
    keywords: {
      en: "bitcoin crypto cryptocurrency cryptocurrencies ethereum blockchain stablecoin altcoin token wallet defi",
      sv: "bitcoin krypto kryptovaluta kryptovalutor ethereum blockkedja kryptotillgångar stablecoin",
    },
    disclaimer: {
      en: "Crypto assets can lose all of their value, and such a loss is not compensated. Nothing here is investment advice.",
      sv: "Kryptotillgångar kan förlora hela sitt värde, och ingen ersätter förlusten. Texten är ingen investeringsrådgivning.",
    },
    accepts:
      /(?:not|no|nothing here is) (?:investment|financial) advice|lose all|ingen investeringsrådgivning|förlora hela/i,
    advice: {
      en: { name: "European Securities and Markets Authority", url: "https://www.esma.europa.eu/" },
      sv: { name: "Finansinspektionen", url: "https://www.fi.se/" },
    },
  },
  {
    name: "finance",
    keywords: {
      en: "loan loans mortgage invest investing investment investments savings saving shares stocks interest credit debt pension insurance bank",
      sv: "lån bolån investera investering investeringar sparande spara aktier fonder ränta kredit skuld skulder pension försäkring bank",
    },
    disclaimer: {
      en: "This text is general information and not financial advice. What suits you depends on your own situation.",
      sv: "Texten är allmän information och ingen ekonomisk rådgivning. Vad som passar dig beror på din egen situation.",
    },
    accepts:
      /not (?:be )?(?:taken as )?financial advice|ingen ekonomisk rådgivning|inte ekonomisk rådgivning/i,
    advice: {
      en: { name: "MoneyHelper", url: "https://www.moneyhelper.org.uk/" },
      sv: { name: "Konsumenternas", url: "https://www.konsumenternas.se/" },
    },
  },
  {
    name: "health",
    keywords: {
      en: "symptom symptoms treatment treatments medicine medicines medication disease diagnosis doctor patient patients therapy vaccine dose pain surgery clinic",
      sv: "symtom symptom behandling behandlingar läkemedel medicin sjukdom sjukdomar diagnos läkare patient patienter terapi vaccin smärta operation klinik",
    },
    disclaimer: {
      en: "This text is general information and no substitute for medical advice. Ask a doctor or a nurse about your own health.",
      sv: "Texten är allmän information och ersätter inte medicinsk rådgivning. Fråga en läkare eller sjuksköterska om din egen hälsa.",
    },
    accepts:
      /(?:substitute for|not) (?:professional )?medical advice|ersätter inte (?:medicinsk )?(?:rådgivning|vård)/i,
    advice: {
      en: { name: "the World Health Organization", url: "https://www.who.int/" },
      sv: { name: "1177", url: "https://www.1177.se/" },
    },
  },
  {
    name: "legal",
    keywords: {
      en: "lawyer lawyers attorney lawsuit court courts contract contracts liability legislation statute plaintiff divorce custody tenant",
      sv: "advokat advokater jurist jurister stämning domstol avtal avtalet skadestånd lagstiftning tvist skilsmässa vårdnad hyresgäst",
    },
    disclaimer: {
      en: "This text is general information and not legal advice. Ask a lawyer about your own case.",
      sv: "Texten är allmän information och ingen juridisk rådgivning. Fråga en jurist om ditt eget fall.",
    },
    accepts: /not (?:constitute )?legal advice|ingen juridisk rådgivning|inte juridisk rådgivning/i,
    advice: {
      en: { name: "the European e-Justice Portal", url: "https://e-justice.europa.eu/" },
      sv: { name: "Sveriges Domstolar", url: "https://www.domstol.se/" },
    },
  },
];

/** A single keyword may be a coincidence. */
const KEYWORDS_NEEDED = 2;

export function topicsOf({ target, anchorText }: Brief): Topic[] {
  const { title, description, headings, keyTerms, language } = target.profile;
  const text = [title, description, anchorText, ...headings, ...keyTerms].join(" ");
  const stems = new Set(wordsOf(text).map((word) => stem(word, language)));
  return TOPICS.filter(({ keywords }) => {
    const list = keywords[language] ?? keywords["en"] ?? "";
    const found = new Set(
      list
        .split(" ")
        .map((word) => stem(word, language))
        .filter((word) => stems.has(word)),
    );
    return found.size >= KEYWORDS_NEEDED;
  });
}

import { expect, test } from "vitest";
import { fetchedHtml } from "#test/article/inline-tasks.ts";
import { clean } from "#server/kinds/article/text/clean.ts";
import { samplePage } from "#test/article/samples.ts";
import { readPage } from "./read-page.ts";

const URL = "https://www.site.example/page";
const TEXT = "Lettuce grows in the shade of taller plants. It wants water every day in July.";
const MORE = "The garden gives salad to a whole family from May until the end of October.";

function read(html: string) {
  return readPage({
    address: "https://site.example/page",
    fetched: fetchedHtml(URL, html),
  });
}

test("a page is profiled: title, site, description, headings, words, language, terms and tone", async () => {
  const { profile, siteName, topic, sections, links } = await samplePage(
    "target/",
    "http://a.example",
  );
  expect(siteName).toBe("Willow and Clay");
  expect(topic).toBe("How self-watering planters work");
  expect(profile).toMatchObject({
    title: "How self-watering planters work | Willow and Clay",
    language: "en",
    tone: "neutral",
    url: "http://a.example/samples/target/",
  });
  expect(profile.description).toContain("What is inside a self-watering planter");
  expect(profile.headings).toContain("Choosing the right soil");
  expect(profile.headings).not.toContain("How self-watering planters work");
  expect(profile.keyTerms.slice(0, 4)).toEqual(
    expect.arrayContaining(["water", "soil", "reservoir"]),
  );
  expect(profile.words).toBeGreaterThan(400);
  expect(profile.excerpt).toMatch(/^A self-watering planter is a container/);
  expect(sections[1]).toMatchObject({ heading: "What is inside the planter" });
  expect(sections[1]?.paragraphs[0]?.[0]).toMatch(/^Every self-watering planter has four parts/);
  expect(links).toEqual([{ url: "https://www.epa.gov/watersense", text: "WaterSense" }]);
});

test("control characters and U+FFFD in a page never reach an article", () => {
  const dirty = "Half\uFFFD a \0p&#x1b;[31ml&#7;ant &#55357;&#56832;here\x9B. ";
  const page = read(
    `<title>Ga&#27;rd&#xD83D;en</title><meta name="description" content="A\x1B g&#55357;arden"><h1>Ga\0rden</h1><h2>Sal&#56832;ad\x1B</h2><p>${dirty}${TEXT}</p><p>\uFFFD</p><p>${MORE} <a href="https://other.example/&#27;x">oth&#8;er</a></p>`,
  );
  const texts = JSON.stringify(page);
  expect(texts).not.toMatch(/\\u00/);
  expect(clean(texts)).toBe(texts);
  expect(page.profile).toMatchObject({ title: "Garden", description: "A garden" });
  expect(page.sections.map(({ heading }) => heading)).toEqual(["Salad"]);
  // A sentence with U+FFFD is damaged and not quoted; dropping control characters leaves a sentence whole.
  expect(page.sections[0]?.paragraphs.flat().join(" ")).toBe(`${TEXT} ${MORE} other`);
});

test("a page without a single undamaged sentence is refused", () => {
  const html = `<meta charset=utf-8><title>Jardin</title><p>L'été est très chaud.</p><p>À la maison</p>`;
  const fetched = { ...fetchedHtml(URL, ""), bytes: Buffer.from(html, "latin1") };
  expect(() => readPage({ address: URL, fetched })).toThrow(
    "has no readable sentence: its text is not in the charset that it declares",
  );
});

test("UTF-16 without a byte order mark is read like any page", () => {
  const html = `<html><title>Garden</title><p>${TEXT}</p><p>${MORE}</p></html>`;
  const fetched = { ...fetchedHtml(URL, ""), bytes: Buffer.from(html, "utf16le") };
  expect(readPage({ address: URL, fetched }).profile).toEqual({
    ...read(html).profile,
    url: URL,
  });
});

test("navigation, scripts and footers around the main text are dropped", () => {
  const { profile } = read(
    `<html><body><nav><a href="/a">Home page and shop</a></nav><main><h1>Garden</h1><p>${TEXT}</p><p>${MORE}</p></main><footer>All rights reserved</footer><script>alert("x")</script></body></html>`,
  );
  expect(profile.excerpt).toBe(`${TEXT} ${MORE}`);
});

test.each([
  ["no html, head or body element", `<title>Garden</title><p>${TEXT}</p>`],
  ["no head and body", `<html lang="en"><title>Garden</title><p>${TEXT}</p></html>`],
  ["elements that are never closed", `<html><head><title>Garden</title><body><p>${TEXT}<p>${MORE}`],
  ["plain divs", `<html><head><title>Garden</title></head><body><div>${TEXT}</div></body></html>`],
  ["list items", `<title>Garden</title><ul><li>${TEXT}</li><li>${MORE}</li></ul>`],
])("a page with %s is read", (_, html) => {
  const { profile } = read(html);
  expect(profile.title).toBe("Garden");
  expect(profile.excerpt).toContain(TEXT);
});

const GARDEN = `<head><title>Garden</title><meta name="description" content="A garden"></head><body><h1>The garden</h1><p>${TEXT}</p><p>${MORE}</p></body></html>`;
const NO_HEAD = `<title>Garden</title><meta name="description" content="A garden"><p>${TEXT}</p><p>${MORE}</p>`;

test.each([
  [
    "conditional comments around html tags, the usual way",
    `<!doctype html><!--[if IE]><html class="ie" lang="de"><![endif]--><!--[if !IE]><!--><html lang="en"><!--<![endif]-->${GARDEN}`,
  ],
  [
    "a conditional comment for each version of a browser",
    `<!doctype html>\n<!--[if lt IE 7]> <html class="ie6" lang="de"> <![endif]-->\n<!--[if IE 8]> <html class="ie8"> <![endif]-->\n<!--[if gt IE 8]><!--> <html class="js" lang="en"> <!--<![endif]-->\n${GARDEN}`,
  ],
  [
    "revealed conditional comments, whose tags browsers all see",
    `<!doctype html><![if IE]><html class="ie" lang="en"><![endif]><![if !IE]><html lang="de"><![endif]>${GARDEN}`,
  ],
  [
    "an html tag in a conditional comment only",
    `<!--[if IE]><html class="ie"><![endif]-->${NO_HEAD}`,
  ],
  ["an html tag in a comment only", `<!-- <html> -->${NO_HEAD}`],
  ["an html tag in a script only", `<script>var page = "<html lang=de>";</script>${NO_HEAD}`],
  ["an html tag in an attribute only", `<p title="<html lang=de>"></p>${NO_HEAD}`],
  ["two html tags", `<!doctype html><html class="a" lang="en"><html lang="de">${GARDEN}`],
  ["two html tags of which the second has the language", `<html><html lang="en">${GARDEN}`],
  [
    "two body tags",
    `<html lang="en"><head><title>Garden</title><meta name="description" content="A garden"><body><body class="x"><h1>The garden</h1><p>${TEXT}</p><p>${MORE}</p>`,
  ],
  [
    "a conditional comment around a body tag",
    `<html lang="en"><!--[if IE]><body class="ie"><![endif]--><!--[if !IE]><!--><body><!--<![endif]-->${NO_HEAD}`,
  ],
  [
    "conditional comments in head and body",
    `<html lang="en"><head><!--[if IE]><title>Old</title><![endif]--><![if !IE]><title>Garden</title><![endif]><meta name="description" content="A garden"></head><body><!--[if IE]><p>${"Get a new browser. ".repeat(20)}</p><![endif]--><![if !IE]><p>${TEXT}</p><![endif]><p>${MORE}</p>`,
  ],
  ["a comment that ends in --!>", `<!-- a --!><html lang="en">${GARDEN}`],
  ["comments that end at once", `<!--><!---><html lang="en">${GARDEN}`],
  [
    "the title of an image before its own",
    `<html lang="en"><body><svg><title>Logo</title></svg>${NO_HEAD}`,
  ],
  ["a head that is never closed", `<html lang="en"><head>${NO_HEAD}`],
  [
    "text after the body",
    `<html lang="en">${NO_HEAD.replace(`<p>${MORE}</p>`, "")}</body></html><p>${MORE}</p>`,
  ],
])("a page with %s is read as browsers read it", (_, html) => {
  const { profile } = read(html);
  expect(profile).toMatchObject({
    title: "Garden",
    description: "A garden",
    language: "en",
    excerpt: `${TEXT} ${MORE}`,
    tone: read(`<p>${TEXT}</p><p>${MORE}</p>`).profile.tone,
  });
});

test("the host stands in for a missing site name, and the heading for a missing title", () => {
  const page = read(`<h1>The garden</h1><p>${TEXT}</p>`);
  expect(page.siteName).toBe("site.example");
  expect(page.topic).toBe("The garden");
  expect(page.profile.title).toBe("The garden");
  expect(read(`<p>${TEXT}</p>`).profile.title).toBe("www.site.example");
});

test("the site's name is found in a title that begins with the heading", () => {
  const page = read(`<title>The garden – Green Fingers</title><h1>The garden</h1><p>${TEXT}</p>`);
  expect(page.siteName).toBe("Green Fingers");
  expect(page.topic).toBe("The garden");
});

test.each([
  ["sv-SE", `${TEXT} ${MORE}`, "en"],
  [
    "en",
    "Salladen växer i skuggan av högre plantor och behöver vatten varje dag i juli. Trädgården ger sallad till en hel familj från maj till slutet av oktober.",
    "sv",
  ],
  ["sv", "Kort text.", "sv"],
  ["", `${TEXT} ${MORE}`, "en"],
  ["", "12345", "und"],
])("the language declared as %j, of the text %j, is %s", (declared, text, language) => {
  expect(read(`<html lang="${declared}"><body><p>${text}</p></body></html>`).profile.language).toBe(
    language,
  );
});

test("links without text, to other schemes or to the page's own host are dropped", () => {
  const { links } = read(
    `<p>${TEXT} <a href="/b">own</a> <a href="javascript:alert(1)">x</a> <a href="mailto:a@b.example">y</a> <a href="http://[">z</a> <a href="https://c.example/"></a> <a href="https://d.example/p">D</a> <a href="https://d.example/p">again</a></p>`,
  );
  expect(links).toEqual([{ url: "https://d.example/p", text: "D" }]);
});

test.each(["<html><body></body></html>", "", "<title>Only a title</title>", "<p>…</p>"])(
  "a page without words is empty: %j",
  (html) => {
    expect(() => read(html)).toThrow(expect.objectContaining({ code: "PAGE_EMPTY" }));
  },
);

test("[H2] a page of exactly the limit of elements is read", () => {
  expect(read(`<p>${TEXT}</p>${"<br>".repeat(39_999)}`).profile.excerpt).toBe(TEXT);
});

test.each([
  ["elements", "<p>a</p>".repeat(40_001), "it has more than 40,000 elements"],
  ["end tags that stand for elements", "</p>".repeat(500_000), "more than 40,000 elements"],
  ["line breaks", "</br>".repeat(400_000), "more than 40,000 elements"],
  ["open elements", "<b>".repeat(700_000), "more than 1,000 elements inside one another"],
  ["open html tags", "<html>".repeat(300_000), "more than 1,000 elements inside one another"],
  ["images in images", "<svg>".repeat(400_000), "more than 1,000 elements inside one another"],
  [
    "open elements and end tags of others",
    "<div>".repeat(1001) + "</i>".repeat(500_000),
    "more than 1,000 elements inside one another",
  ],
])("[H2] a page with too many %s is refused with the limit that it exceeds", (_, html, limit) => {
  expect(() => read(`<body><p>${TEXT}</p>${html}`)).toThrow(
    expect.objectContaining({
      code: "PAGE_TOO_COMPLEX",
      message: expect.stringMatching(new RegExp(`^is too complex to be read: .*${limit}$`)),
    }),
  );
});

test.each([
  ["below very many elements", "<div>".repeat(900)],
  ["after very many formatting tags that are never closed", "<font><b>x ".repeat(450)],
])("text %s is read", (_, before) => {
  const { profile } = read(`${before}<h2>Garden</h2><p>${TEXT}</p><p>${MORE}</p>`);
  expect(profile.excerpt.replaceAll("x ", "")).toBe(`${TEXT} ${MORE}`);
  expect(profile.headings).toEqual(["Garden"]);
});

test.each([
  ["comments", "<!---->".repeat(200_000)],
  ["comments that never end", "<!--".repeat(500_000)],
  ["signs that begin no tag", "<".repeat(1_000_000)],
  ["entities", "&amp;".repeat(400_000)],
  ["entities without an end", "&lt".repeat(600_000)],
  ["CDATA sections", "<![CDATA[]]>".repeat(100_000)],
  ["CDATA sections in an image", `<svg>${"<![CDATA[]]>".repeat(100_000)}</svg>`],
  ["tags in a tag", "<a ".repeat(600_000)],
  ["end tags", "</i>".repeat(500_000)],
  ["attributes", `<p ${Array.from({ length: 200_000 }, (_, at) => `a${at}`).join(" ")}>`],
  ["classes", `<p class="${Array.from({ length: 200_000 }, (_, at) => `a${at}`).join(" ")}">`],
])("[H2] any number of %s does no harm", (_, html) => {
  expect(read(`<title>Garden</title><p>${TEXT}</p><p>${MORE}</p>${html}`).profile).toMatchObject({
    title: "Garden",
    excerpt: expect.stringContaining(TEXT),
  });
});

test("the text of a very long page is cut", () => {
  const { profile } = read(`<body>${`<p>${MORE.repeat(100)}</p>`.repeat(100)}</body>`);
  expect(profile.words).toBeLessThan(50_000);
});

test.each([
  ["What to include - The manual", "The manual", "The manual", "What to include"],
  [
    "What to include | Manuals",
    "Something else entirely, and longer",
    "Manuals",
    "What to include",
  ],
  [
    "Salt - and why we need so much of it every day",
    "Salt for all",
    "site.example",
    "Salt for all",
  ],
])(
  "the title %j with the heading %j is from %s and about %s",
  (title, heading, siteName, topic) => {
    const page = read(`<title>${title}</title><h1>${heading}</h1><p>${TEXT}</p>`);
    expect(page).toMatchObject({ siteName, topic });
  },
);

test("a page that declares nothing keeps its apostrophes and dashes in spite of a stray byte", () => {
  const html = `<title>It’s a garden</title><h1>It’s a garden</h1><p>It’s green – ${TEXT}</p>`;
  const bytes = Uint8Array.from([
    ...Buffer.from(`${html}<p>${MORE} `),
    0xa0,
    ...Buffer.from("</p>"),
  ]);
  const fetched = { url: URL, bytes, contentType: "text/html" };
  const { profile } = readPage({ address: URL, fetched });
  expect(profile.title).toBe("It’s a garden");
  expect(profile.excerpt).toContain("It’s green – ");
  expect(JSON.stringify(profile)).not.toContain("â€");
});

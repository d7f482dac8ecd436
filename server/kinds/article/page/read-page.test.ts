import { expect, test } from "vitest";
import { fetchedHtml } from "#server/kinds/article/testing/inline-tasks.ts";
import { samplePage } from "#server/kinds/article/testing/samples.ts";
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

test("what stands around the main text is left out", () => {
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

test("a site without a name is called by its host, and a page without a title by its heading", () => {
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

test("links that are no web addresses, lead to the page's own host or say nothing are left out", () => {
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

test("a page with too many elements is refused", () => {
  expect(() => read(`<body>${"<p>a</p>".repeat(40_001)}</body>`)).toThrow(
    expect.objectContaining({ code: "PAGE_TOO_COMPLEX" }),
  );
});

test("the text of a very long page ends somewhere", () => {
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

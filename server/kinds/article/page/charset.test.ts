import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeHtml } from "./charset.ts";
import { FETCH_LIMITS } from "./fetch-limits.ts";

const TEXT = "<p>blåbär och smörgås</p>";
const LATIN1 = Buffer.from(TEXT, "latin1");
const UTF8 = Buffer.from(TEXT, "utf8");
const APOSTROPHE = "’";

/** Concatenates parts of a page; text parts are encoded as UTF-8. */
function bytesOf(...parts: (string | Buffer)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
}

test.each([
  ["the header", LATIN1, "text/html; charset=ISO-8859-1"],
  ["a quoted header", LATIN1, 'text/html; charset="windows-1252"'],
  ["a header that is sent twice", LATIN1, "text/html; charset=utf-8, text/html; charset=latin1"],
  ["the first of two headers", LATIN1, "text/html; charset=latin1, text/html"],
  [
    "its own parameter, after one with a similar name",
    LATIN1,
    "text/html; x-charset=utf-8; charset=l1",
  ],
  [
    "the header, contrary to the page",
    bytesOf("<meta charset=utf-8>", LATIN1),
    "text/html;charset=l1",
  ],
  [
    "a byte order mark, contrary to the header",
    bytesOf("\uFEFF", UTF8),
    "text/html; charset=windows-1251",
  ],
  ["UTF-16 with its mark", Buffer.from(`\uFEFF${TEXT}`, "utf16le"), "text/html"],
  ["UTF-16 of the other byte order", Buffer.from(`\uFEFF${TEXT}`, "utf16le").swap16(), "text/html"],
  ["UTF-16 in the header", Buffer.from(TEXT, "utf16le"), "text/html; charset=utf-16"],
  ["its bytes, which are UTF-16", Buffer.from(TEXT, "utf16le"), "text/html"],
  ["its bytes, contrary to the header", Buffer.from(TEXT, "utf16le"), "text/html; charset=utf-8"],
  ["its bytes, in the other byte order", Buffer.from(TEXT, "utf16le").swap16(), "text/html"],
  [
    "its bytes, where most of them are not ASCII",
    Buffer.from(`<html><p>${"日本".repeat(9)}</p>${TEXT}`, "utf16le"),
    "text/html",
  ],
  ["UTF-16 of an XML page", Buffer.from(`<?xml?>${TEXT}`, "utf16le"), "application/xhtml+xml"],
  [
    "UTF-16 of an XML page, in the other byte order",
    Buffer.from(`<?xml?>${TEXT}`, "utf16le").swap16(),
    "application/xhtml+xml",
  ],
  ["its bytes, which are UTF-8", UTF8, "text/html"],
  ["its bytes, which are not UTF-8", LATIN1, "text/html"],
  ["its bytes, where the header names an unknown charset", UTF8, "text/html; charset=klingon"],
  ["its bytes, where the header has only a similar parameter", UTF8, "text/html; x-charset=latin1"],
  ["its bytes, where there is no header", UTF8, ""],
])("the charset comes from %s", (_, bytes, contentType) => {
  expect(decodeHtml(bytes, contentType)).toContain("blåbär och smörgås");
});

test("a few NULs, or NULs on both sides, do not make UTF-16", () => {
  for (const nuls of ["\0", "\0 \0", "\0".repeat(100)]) {
    expect(decodeHtml(bytesOf(nuls, TEXT), "text/html")).toBe(nuls + TEXT);
  }
});

test("an empty page decodes to an empty text", () => {
  expect(decodeHtml(Buffer.alloc(0), "text/html")).toBe("");
});

test("a page that is a view into a larger buffer is decoded", () => {
  const page = bytesOf("<meta charset=utf-8>", LATIN1, "<meta charset=l1>", LATIN1).subarray(45);
  expect(decodeHtml(page, "text/html")).toBe(`<meta charset=l1>${TEXT}`);
});

describe("the charset that a page declares", () => {
  test.each([
    ["", '<meta charset="latin1">'],
    ["in capitals", "<META CHARSET=LATIN1>"],
    ["with spaces and a slash", "<meta\n\tcharset = ' latin1 ' />"],
    ["after another attribute", '<meta name=x charset="latin1">'],
    [
      "in an old-fashioned page",
      '<meta http-equiv="Content-Type" content="text/html; charset=l1">',
    ],
    [
      "with its attributes in reverse order",
      "<meta content='a;charset = \"l1\"' http-equiv=content-type>",
    ],
    ["without a space after it", '<meta http-equiv=content-type content="charset=l1;x">'],
    ["after the 1,024 bytes of the prescan", `<!--${"x".repeat(1024)}--><meta charset=latin1>`],
    ["across the end of the prescan", `${" ".repeat(1010)}<meta charset=latin1>`],
    ["after a long script", `<script>${"x".repeat(100_000)}</script><meta charset=latin1>`],
    ["after an unknown charset", "<meta charset=klingon><meta charset=latin1>"],
    [
      "after a charset that browsers never decode",
      "<meta charset=iso-2022-kr><meta charset=latin1>",
    ],
    ["after an empty charset", "<meta charset><meta charset=''><meta charset=latin1>"],
    ["twice: the first counts", "<meta charset=latin1><meta charset=utf-8>"],
    ["twice in one tag: the first counts", "<meta charset=latin1 charset=utf-8>"],
    [
      "by an attribute, contrary to the content",
      "<meta charset=l1 http-equiv=content-type content='charset=utf-8'>",
    ],
    ["in a noscript", "<noscript><meta charset=latin1></noscript>"],
    ["after an empty comment", "<!--><meta charset=latin1>"],
    ["after a title", "<title>a < b</title><meta charset=latin1>"],
    ["after a broken end tag", "</ <meta><meta charset=latin1>"],
    ["in its XML declaration", '<?xml version="1.0" encoding="latin1"?>'],
    ["in its XML declaration, in single quotes", "<?xml version='1.0' encoding = 'latin1' ?>"],
    ["in a meta, contrary to its XML declaration", "<?xml encoding='utf-8'?><meta charset=latin1>"],
    ["user-defined, which browsers read as windows-1252", "<meta charset=x-user-defined>"],
  ])("is honoured %s", (_, html) => {
    // Most of the page is UTF-8, so that guessing would not give latin1.
    const page = bytesOf(html, LATIN1, "ж".repeat(1000));
    expect(decodeHtml(page, "text/html")).toContain(TEXT);
  });

  test.each([
    ["in a comment", "<!-- <meta charset=windows-1251> -->"],
    ["in a comment for old browsers", "<!--[if IE]><meta charset=windows-1251><![endif]-->"],
    ["in a comment without an end", "<!-- <meta charset=windows-1251>"],
    ["in an attribute for data", '<meta data-charset="windows-1251">'],
    ["in another element's attribute", "<div data-x='<meta charset=windows-1251>'></div>"],
    ["in another element", "<metadata charset=windows-1251><script charset=windows-1251></script>"],
    ["in a script", "<script>x = '<meta charset=windows-1251>'</script>"],
    ["in a script in capitals", "<SCRIPT>x = '<meta charset=windows-1251>'</SCRIPT >"],
    ["in a script with an attribute", "<script data-a='>'>'<meta charset=windows-1251>'</script>"],
    ["in a script without an end", "<script>x = '<meta charset=windows-1251>'</scripts>"],
    ["in a style", "<style>/* <meta charset=windows-1251> */</style>"],
    ["in a title", "<title><meta charset=windows-1251></title>"],
    ["in a field", "<textarea><meta charset=windows-1251></textarea>"],
    ["in an iframe", "<iframe><meta charset=windows-1251></iframe>"],
    ["in a listing", "<xmp><meta charset=windows-1251></xmp>"],
    ["in an end tag", "</meta charset=windows-1251>"],
    ["in a declaration", "<!meta charset=windows-1251><?meta charset=windows-1251>"],
    ["in a description", '<meta name="description" content="about charset=windows-1251">'],
    ["in a refresh", '<meta http-equiv="refresh" content="0; url=?charset=windows-1251">'],
    [
      "in content without an equals sign",
      '<meta http-equiv="content-type" content="charset windows-1251">',
    ],
    ["in an XML declaration that comes late", " <?xml encoding='windows-1251'?>"],
    ["in an XML declaration without quotes", "<?xml encoding=windows-1251?>"],
    ["after the XML declaration", "<?xml ?><p title='encoding=\"windows-1251\"'></p>"],
    ["in a tag without an end", "<p></p>", "<meta charset=windows-1251"],
  ])("is ignored %s", (_, html, end = "") => {
    expect(decodeHtml(bytesOf(html, UTF8, end), "text/html")).toBe(html + TEXT + end);
  });

  test.each(["utf-16", "UTF-16LE", "utf-16be", "unicode", "ucs-2"])(
    "is UTF-8 where it says %s, which an ASCII-compatible declaration cannot be",
    (label) => {
      for (const html of [`<meta charset="${label}">`, `<?xml encoding="${label}"?>`]) {
        expect(decodeHtml(bytesOf(html, UTF8), "text/html")).toBe(html + TEXT);
      }
    },
  );

  test("is honoured although some bytes are invalid in it", () => {
    const page = bytesOf("<meta charset=utf-8>", LATIN1);
    expect(decodeHtml(page, "text/html")).toContain("bl\uFFFDb\uFFFDr");
  });
});

describe("a page that declares nothing", () => {
  const bad = Buffer.from([0xa0]);

  test.each([
    ["one bad byte in a long page", bytesOf(`it${APOSTROPHE}s `.repeat(500), bad)],
    ["one bad byte, and one character", bytesOf(`it${APOSTROPHE}s `, bad)],
    [
      "a character that is cut off at the end",
      bytesOf(`it${APOSTROPHE}s `, Buffer.from([0xe2, 0x80])),
    ],
    [
      "two bad bytes, and 17 characters",
      bytesOf(`it${APOSTROPHE}s `.repeat(17), Buffer.from([0xa0, 0x20, 0xa0])),
    ],
    [
      "one bad byte in ten",
      bytesOf(`it${APOSTROPHE}s `.repeat(100), ...Array<Buffer>(12).fill(bytesOf(bad, " "))),
    ],
    ["its own U+FFFD and no invalid bytes", bytesOf(`it${APOSTROPHE}s \uFFFD`)],
    ["many U+FFFD of its own", bytesOf(`it${APOSTROPHE}s \uFFFD`, "\uFFFD".repeat(50), bad)],
  ])("is UTF-8 with %s", (_, bytes) => {
    const text = decodeHtml(bytes, "text/html");
    expect(text).toContain(`it${APOSTROPHE}s `);
    expect(text).toContain("\uFFFD");
    expect(text).not.toContain("â€™");
  });

  test("is UTF-8 after the loss of any single byte", () => {
    const page = fc.string({ unit: "grapheme", minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(page, fc.nat(), (text, position) => {
        const whole = Buffer.from(`’${text}’`);
        const at = 3 + (position % (whole.length - 3));
        const lost = Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)]);
        expect(decodeHtml(lost, "text/html")).toBe(lost.toString("utf8"));
      }),
    );
  });

  test.each([
    ["one accent", "café"],
    ["many accents", "blåbär och smörgås ".repeat(100)],
    ["accents that happen to be valid UTF-8 in places", `Ã© ${"é ".repeat(8)}`],
    ["accents and capitals before signs", "CAFÉ\xA0» à la carte, DÉJÀ\xA0! MUSÉE « ÉTÉ\xA0»"],
  ])("is windows-1252 with %s", (_, text) => {
    expect(decodeHtml(Buffer.from(text, "latin1"), "text/html")).toBe(text);
  });

  test("has the quotes and dashes of windows-1252, which latin1 lacks", () => {
    const page = Buffer.from([0x93, 0x69, 0x74, 0x92, 0x73, 0x94, 0x20, 0x97, 0x20, 0x80, 0x35]);
    expect(decodeHtml(page, "text/html")).toBe("“it’s” — €5");
  });
});

/** A parser that keeps a stack of open tags would take a minute for the first of these. */
test.each([
  "<b>",
  "<meta ",
  "<meta charset=x>",
  "<!--",
  "<!-->",
  "<?xml encoding=",
  "</",
  "<a b='",
])("[H2] a page of the largest size that repeats %s is decoded in linear time", (part) => {
  const html = part.repeat(FETCH_LIMITS.bytes / part.length);
  expect(decodeHtml(Buffer.from(html), "text/html")).toBe(html);
});

import fc from "fast-check";
import { parseHTML } from "linkedom";
import { Marked } from "marked";
import { expect, test } from "vitest";
import { clean, cleanMarkdown, withoutControls } from "./clean.ts";

test("control characters are removed, and white space and all letters stay", () => {
  expect(withoutControls("a\0b\x1B[31mc\x7Fd\x9Be\uFFFD")).toBe("ab[31mcde\uFFFD");
  expect(clean("\ta\r\nb\f\v\u00A0\uFFFDé🪴\u200D")).toBe("\ta\r\nb\f\v\u00A0é🪴\u200D");
});

test.each([
  ["a &#x1b;[31m&#27;b&#0;c", String.raw`a \&#x1b;[31m\&#27;b\&#0;c`],
  ["&#55357;&#xD83D;&#xFFFD;", String.raw`\&#55357;\&#xD83D;\&#xFFFD;`],
  ["&#x110000;&#99999999;", String.raw`\&#x110000;\&#99999999;`],
  ["&&#27;#27;", String.raw`&\&#27;#27;`],
  [String.raw`a backslash \\&#27;`, String.raw`a backslash \\\&#27;`],
  ["&#x41;&#233;&#128512;&#10;&amp;#27;", "&#x41;&#233;&#128512;&#10;&amp;#27;"],
  [String.raw`the reference \&#27; is text`, String.raw`the reference \&#27; is text`],
])("character references in Markdown count as their characters: %s", (markdown, cleaned) => {
  expect(cleanMarkdown(markdown)).toBe(cleaned);
});

test("cleaning is idempotent, and no renderer produces a removed character from cleaned Markdown", () => {
  const marked = new Marked();
  const unit = fc.constantFrom("&#27;", "&#x1b;", "&", "#", "27;", "\\", "\x1B", "\uFFFD", "é");
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 20 }), (markdown) => {
      const cleaned = cleanMarkdown(markdown);
      expect(cleanMarkdown(cleaned)).toBe(cleaned);
      const { document } = parseHTML(`<p>${marked.parseInline(cleaned, { async: false })}</p>`);
      const text = document.querySelector("p")?.textContent ?? "";
      expect(clean(text)).toBe(text);
    }),
    { numRuns: 5000 },
  );
});

import { expect, test } from "vitest";
import { articleHtml } from "./html.ts";

test("Markdown becomes HTML with headings, lists and links", () => {
  expect(articleHtml("# T\n\nA *b* [c](https://d.example/?a=1&b=2).\n\n- e")).toBe(
    '<h1>T</h1>\n<p>A <em>b</em> <a href="https://d.example/?a=1&amp;b=2" rel="noopener">c</a>.</p>\n<ul>\n<li>e</li>\n</ul>',
  );
});

test.each([
  "<script>alert(1)</script>",
  '<img src=x onerror="alert(1)">',
  "[x](javascript:alert(1))",
  "[x](data:text/html,<script>alert(1)</script>)",
  "[x](//evil.example)",
  '<a href="https://a.example" onclick="alert(1)" style="x">y</a>',
  "<iframe src=https://evil.example></iframe>",
  "<svg><script>alert(1)</script></svg>",
  "![x](https://tracker.example/pixel.png)",
  "<style>body{display:none}</style>",
])("markup that runs, loads or hides content is removed: %s", (markdown) => {
  const html = articleHtml(`Before.\n\n${markdown}\n\nAfter.`);
  expect(html).not.toMatch(
    /script>|<img|<iframe|<svg|<style|onerror|onclick|style=|javascript:|data:|evil\.example|tracker/i,
  );
  expect(html).toContain("Before.");
  expect(html).toContain("After.");
});

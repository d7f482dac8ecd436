import { expect, test } from "vitest";
import { lowerHeadings } from "./headings.ts";

test("every heading moves one level down, and nothing else changes", () => {
  expect(
    lowerHeadings('<h1>A</h1><h2 id="x">B &lt;h1&gt;</h2><p>h1 <a href="/h1">h2</a></p><hr>'),
  ).toBe('<h2>A</h2><h3 id="x">B &lt;h1&gt;</h3><p>h1 <a href="/h1">h2</a></p><hr>');
  expect(lowerHeadings("<h6>deepest</h6><H3>x</H3>")).toBe("<h6>deepest</h6><h4>x</h4>");
});

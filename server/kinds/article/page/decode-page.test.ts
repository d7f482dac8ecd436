import { expect, test } from "vitest";
import { decodePage } from "./decode-page.ts";

function read(text: string, contentType = ""): string {
  return decodePage({ bytes: Uint8Array.from(Buffer.from(text)), contentType });
}

test.each([
  "<html><p>a",
  "<!DOCTYPE html><p>a",
  " \n\uFEFF<HTML lang=en>",
  "<!-- a --> <!----><!-- < --x> -->\n<!doctype html>",
])("a page without a content type that begins like HTML is accepted: %j", (text) => {
  expect(read(text)).toContain("<");
});

test.each([
  "",
  "a,b",
  "<htmlx>",
  "<!doctype htmlx>",
  "<svg>",
  "<!-- <html>",
  "<!---->".repeat(200_000),
  `${"<!--".repeat(400_000)}-->x`,
  " ".repeat(2_000_000),
])("a page without a content type that does not begin like HTML is refused", (text) => {
  expect(() => read(text)).toThrow(expect.objectContaining({ code: "PAGE_NOT_HTML" }));
});

test("a page with a content type need not begin like HTML", () => {
  expect(read("<p>a", "text/html")).toBe("<p>a");
});

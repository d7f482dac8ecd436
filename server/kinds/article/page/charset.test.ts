import { expect, test } from "vitest";
import { decodeHtml } from "./charset.ts";

const LATIN1 = Buffer.from("<p>blåbär och smörgås</p>", "latin1");
const UTF8 = Buffer.from("<p>blåbär och smörgås</p>", "utf8");

test.each([
  ["the header", LATIN1, "text/html; charset=ISO-8859-1"],
  ["a quoted header", LATIN1, 'text/html; charset="windows-1252"'],
  ["the page", Buffer.concat([Buffer.from('<meta charset="latin1">'), LATIN1]), "text/html"],
  [
    "an old-fashioned page",
    Buffer.concat([
      Buffer.from('<META http-equiv="Content-Type" content="text/html; charset=iso-8859-1">'),
      LATIN1,
    ]),
    "text/html",
  ],
  ["nobody, and it is UTF-8", UTF8, "text/html"],
  ["nobody, and it is not UTF-8", LATIN1, "text/html"],
  [
    "a byte order mark, against the header",
    Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), UTF8]),
    "text/html; charset=latin1",
  ],
  ["UTF-16 with its mark", Buffer.from("\uFEFF<p>blåbär och smörgås</p>", "utf16le"), "text/html"],
  ["a header that names no charset there is", UTF8, "text/html; charset=klingon"],
])("the charset is told by %s", (_, bytes, contentType) => {
  expect(decodeHtml(bytes, contentType)).toContain("blåbär och smörgås");
});

test("UTF-16 of the other byte order is read too", () => {
  const bytes = Buffer.from("\uFEFFblåbär", "utf16le").swap16();
  expect(decodeHtml(bytes, "text/html")).toBe("blåbär");
});

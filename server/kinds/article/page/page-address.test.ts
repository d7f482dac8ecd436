import { expect, test } from "vitest";
import { pageAddress, redirectAddress } from "./page-address.ts";
import { LONGEST_REDIRECT } from "./page-limits.ts";

const BASE = new URL("http://site.example/a/b?c");

/** Node decodes header bytes as latin1: one character for each byte. */
const inBytes = (text: string): string => Buffer.from(text).toString("latin1");

test.each([
  ["UTF-8", inBytes("/käse/中文?q=ü#é"), "/k%C3%A4se/%E4%B8%AD%E6%96%87?q=%C3%BC#%C3%A9"],
  ["latin1", "/k\u00e4se?q=\u00fc", "/k%E4se?q=%FC"],
  ["both", `${inBytes("/ä")}\u00e4`, "/%C3%A4%E4"],
  ["bytes that are not UTF-8", "/\u0080\u00ff", "/%80%FF"],
  ["partly encoded UTF-8", inBytes("/%C3%A4ä%e4"), "/%C3%A4%C3%A4%e4"],
  ["spaces", "/a b?c d", "/a%20b?c%20d"],
  ["spaces around it", "  /a  ", "/a"],
  ["a tab in it", "/a\tb", "/ab"],
  ["signs that browsers encode", '/"<>`{}|^', "/%22%3C%3E%60%7B%7D|%5E"],
  ["backslashes", "\\x\\y", "/x/y"],
  ["a path that goes up", "../x/../y", "/y"],
  ["a query alone", "?q", "/a/b?q"],
])(
  "[A2] a redirect to an address with %s leads to the same address as in browsers",
  (_, location, path) => {
    expect(redirectAddress(location, BASE).href).toBe(`http://site.example${path}`);
  },
);

test.each([
  ["its own host", "//site.example/x", "http://site.example/x"],
  ["another host", "https://Other.example", "https://other.example/"],
  ["an umlaut domain", "http://bücher.example/ä", "http://xn--bcher-kva.example/%C3%A4"],
  ["an encoded umlaut domain", "http://b%C3%BCcher.example/", "http://xn--bcher-kva.example/"],
])("[A2] a redirect to %s is followed", (_, location, href) => {
  expect(redirectAddress(inBytes(location), BASE).href).toBe(href);
});

test.each([
  [
    "a host in latin1",
    "http://b\u00fccher.example/",
    "redirects to an address that is not a web page",
  ],
  [
    "a file",
    "file:///etc/passwd",
    "redirects to an address that is not a web page: file:///etc/passwd",
  ],
  ["a password", "http://a:b@site.example/", "has a user name or password in its address"],
  ["a long address", `/${"x".repeat(LONGEST_REDIRECT)}`, "more than 8000 characters"],
  [
    "an address that is long once encoded",
    `/${"\u00e4".repeat(LONGEST_REDIRECT / 2)}`,
    "more than 8000 characters",
  ],
])("[A2] a redirect to %s is refused", (_, location, why) => {
  expect(() => redirectAddress(location, BASE)).toThrow(
    expect.objectContaining({ code: "PAGE_BAD_ADDRESS", message: expect.stringContaining(why) }),
  );
});

test("a page on an umlaut domain is requested by its Punycode name", () => {
  expect(pageAddress("https://bücher.example/käse").href).toBe(
    "https://xn--bcher-kva.example/k%C3%A4se",
  );
});

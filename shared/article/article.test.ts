import { expect, test } from "vitest";
import { ArticleInputSchema } from "./article.schema.ts";

const { publisherDomain, targetUrl, anchorText } = ArticleInputSchema.shape;

test.each([
  "example.com",
  "EXAMPLE.com:8080/magazine/",
  "localhost:8000/samples/",
  "127.0.0.1",
  "[::1]:80/x",
  "bücher.example",
  "BÜCHER.example:8080/käse",
  "bu\u0308cher.example",
  "bücher\u3002example",
  "xn--bcher-kva.example",
  "straße.example",
  "例え.jp",
])("a publisher may be %s, which stays unchanged", (domain) => {
  expect(publisherDomain.parse(` ${domain} `)).toBe(domain);
});

test.each([
  "",
  "ü",
  "https://example.com",
  "a b.example",
  "a\u00a0b.example",
  "user@example.com",
  "exa%6dple.com",
  "example.com?q",
  "example.com#x",
  "example.com\\x",
  "example.com:99999",
  "1.2.3.456",
  "a..example",
  "-a.example",
  `${"ü".repeat(63)}.example`,
  "[::g]",
])("a publisher is not %j", (domain) => {
  expect(publisherDomain.safeParse(domain).error?.issues).toEqual([
    expect.objectContaining({
      message: "Must be a domain without protocol, such as example.com or example.com:8080",
    }),
  ]);
});

test("a target may be on an umlaut domain", () => {
  expect(targetUrl.parse("https://bücher.example/käse?q=ü")).toBe(
    "https://bücher.example/käse?q=ü",
  );
});

test.each(["\0", "\x1B", "\x7F", "\x9B"])(
  "delivered texts must not have control characters: %j",
  (sign) => {
    expect(anchorText.safeParse(`a${sign}b`).error?.message).toContain("control characters");
    expect(targetUrl.safeParse(`https://a.example/${sign}b`).success).toBe(false);
    expect(anchorText.parse("a\u00a0b 🪴 é")).toBe("a\u00a0b 🪴 é");
  },
);

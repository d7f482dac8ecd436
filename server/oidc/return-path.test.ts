import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_RETURN_CHARS, returnPathOf } from "./return-path.ts";

test.each([
  ["/", "/"],
  ["/jobs/new?a=b&c=%2F#d", "/jobs/new?a=b&c=%2F#d"],
  ["/jobs/../batches", "/batches"],
  ["/a//b", "/a//b"],
  ["/%2F%2Fevil.example", "/%2F%2Fevil.example"],
  ["/ä?ö=ü", "/%C3%A4?%C3%B6=%C3%BC"],
  ["/authors", "/authors"],
  [`/${"x".repeat(MAX_RETURN_CHARS - 1)}`, `/${"x".repeat(MAX_RETURN_CHARS - 1)}`],
])("[P18] a person returns from %j to %j", (text, path) => {
  expect(returnPathOf(text)).toBe(path);
});

test.each([
  `/${"x".repeat(MAX_RETURN_CHARS)}`,
  `/${"ä".repeat(MAX_RETURN_CHARS / 6 + 1)}`,
  "/auth",
  "/auth/sign-in",
  "/x/../auth/oidc/start",
  "/auth#x",
])("[P18] no person returns to %j", (text) => {
  expect(returnPathOf(text)).toBeUndefined();
});

test("[P18] whatever the text is, the person returns to the host of the page", () => {
  const part = fc.constantFrom(
    "/",
    "\\",
    "..",
    ".",
    "@",
    ":",
    "evil.example",
    "\t",
    "\n",
    "%2f",
    "?",
    "#",
    "a",
    "\u0000",
    "//",
  );
  const text = fc.array(part, { maxLength: 8 }).map((parts) => `/${parts.join("")}`);
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), (given) => {
      const path = returnPathOf(given);
      if (path === undefined) return;
      expect(new URL(path, "https://jobs.example.com/auth/oidc/callback").host).toBe(
        "jobs.example.com",
      );
      expect(path).toMatch(/^\/(?!\/)[!-~]*$/);
      expect(path).not.toContain("\\");
    }),
  );
});

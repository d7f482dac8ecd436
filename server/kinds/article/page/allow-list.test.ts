import { expect, test } from "vitest";
import { createAllowList } from "./allow-list.ts";

test.each([
  ["localhost", "http://localhost/", true],
  ["localhost", "http://localhost:8000/any/where", true],
  ["localhost", "https://localhost/", true],
  ["localhost", "http://localhost.evil.example/", false],
  ["localhost", "http://127.0.0.1/", false],
  ["LOCALHOST:8000", "http://localhost:8000/", true],
  ["localhost:8000", "http://localhost:8001/", false],
  ["localhost:8000", "http://localhost/", false],
  ["localhost:80", "http://localhost/", true],
  ["localhost:80", "http://localhost:8000/", false],
  ["localhost:443", "https://localhost/", true],
  ["127.0.0.1:8000", "http://2130706433:8000/", true],
  ["[::1]:8000", "http://[0:0:0:0:0:0:0:1]:8000/", true],
  ["localhost:8000/samples/", "http://localhost:8000/samples/publisher/", true],
  ["localhost:8000/samples/", "http://localhost:8000/samples/", true],
  ["localhost:8000/samples/", "http://localhost:8000/samples/?q=/../x", true],
  ["localhost:8000/samples/", "http://localhost:8000/samples", false],
  ["localhost:8000/samples/", "http://localhost:8000/sampleswap/", false],
  ["localhost:8000/samples", "http://localhost:8000/samples", true],
  ["localhost:8000/samples", "http://localhost:8000/samples/x", true],
  ["localhost:8000/samples", "http://localhost:8000/samples-of-others", false],
  ["localhost:8000/samples/", "http://localhost:8000/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/../trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/%2e%2e/trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/..%2ftrpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/%2e%2e%2ftrpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/%252e%252e%252ftrpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/..\\trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/x%5c..%5ctrpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/%zz", false],
  ["localhost:8000/samples/", "http://localhost:8000//samples/", false],
])("the entry %s: %s is allowed: %s", (entry, url, allowed) => {
  expect(createAllowList([entry])(new URL(url))).toBe(allowed);
});

test("nothing is allowed by an empty list, and any entry of a longer one counts", () => {
  expect(createAllowList([])(new URL("http://localhost/"))).toBe(false);
  const allow = createAllowList(["a.example", "b.example:81"]);
  expect(allow(new URL("http://a.example/"))).toBe(true);
  expect(allow(new URL("http://b.example:81/"))).toBe(true);
  expect(allow(new URL("http://c.example/"))).toBe(false);
});

test.each(["", "a b", "user@localhost", "localhost/?q", "localhost#x", "localhost:99999"])(
  "an entry that cannot be read is named: %j",
  (entry) => {
    expect(() => createAllowList([entry])).toThrow(JSON.stringify(entry));
  },
);

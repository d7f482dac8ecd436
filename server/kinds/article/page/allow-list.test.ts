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
  ["localhost:8000/samples/", "http://localhost:8000/samples/..;/trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/..;a=b/trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/.;/x", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/%2e%2e;/trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/..%3b/trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/%252e%252e%253b/trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/%2f..", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/x%2f..%2f..%2ftrpc", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/%5c..", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/a%5cb", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/..%20/trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/..%00/trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/..%00.html", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/%09../trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/.../trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/%c0%ae%c0%ae/trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/%u002e%u002e/trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/\uFF0E\uFF0E/trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/\u2025/trpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/..\uFF0Ftrpc/", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples%2fx", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples;/x", false],
  ["localhost:8000/samples/", "http://localhost:8000/SAMPLES/x", false],
  ["localhost:8000/samples/", "http://localhost:8000/samples/..x/.well-known/a..b/", true],
  ["localhost:8000/samples/", "http://localhost:8000/samples/a;b=c/", true],
  ["localhost:8000/samples/", "http://localhost:8000/samples/AC%2FDC/", true],
  ["localhost:8000/samples/", "http://localhost:8000/samples/a/../b", true],
  ["localhost:8000/samples/", "http://localhost:8000/%73amples/x", true],
  ["localhost:8000/a/b/", "http://localhost:8000/a/c/", false],
  ["localhost:8000/a%2fb/", "http://localhost:8000/a/b/", false],
  ["localhost:8000/a%2fb/", "http://localhost:8000/a%2Fb/c", true],
  ["localhost:8000/käse/", "http://localhost:8000/k%C3%A4se/x", true],
  // The prefix is the whole host, so no path leads out of it.
  ["localhost", "http://localhost/caf%E9/..;/", true],
  ["localhost/", "http://localhost/x%5cy", true],
  ["bücher.example", "http://xn--bcher-kva.example/", true],
  ["xn--bcher-kva.example:8000", "http://BÜCHER.example:8000/", true],
  ["bücher.example", "http://bucher.example/", false],
  ["straße.example", "http://xn--strae-oqa.example/", true],
  ["gateway_1:8000", "http://gateway_1:8000/", true],
])("the entry %s: %s is allowed: %s", (entry, url, allowed) => {
  expect(createAllowList([entry])(new URL(url))).toBe(allowed);
});

test("an empty list allows nothing, and each entry of a list allows its own addresses", () => {
  expect(createAllowList([])(new URL("http://localhost/"))).toBe(false);
  const allow = createAllowList(["a.example", "b.example:81"]);
  expect(allow(new URL("http://a.example/"))).toBe(true);
  expect(allow(new URL("http://b.example:81/"))).toBe(true);
  expect(allow(new URL("http://c.example/"))).toBe(false);
});

test.each([
  "",
  "a b",
  "user@localhost",
  "localhost/?q",
  "localhost#x",
  "localhost:99999",
  "http://localhost",
  "*.example.com",
  "bü cher.example",
  "localhost\\samples",
])("an invalid entry is refused: %j", (entry) => {
  expect(() => createAllowList(["a.example", entry])).toThrow(
    "is not a host, host:port or host:port",
  );
});

test.each([
  "localhost/samples/..",
  "localhost/samples/../",
  "localhost/samples/../secret/",
  "localhost/./samples/",
  "localhost/samples/..;/secret/",
  "localhost/samples/%2e%2e/",
  "localhost/samples/%2E%2e%2fsecret/",
  "localhost/samples/%252e%252e/",
  "localhost/samples\\..\\",
  "localhost/samples%5c",
  "localhost/%zz/",
])("an entry that may lead out of its own path is refused: %j", (entry) => {
  expect(() => createAllowList([entry])).toThrow(
    `${JSON.stringify(entry)} has a path that may lead to a folder above it`,
  );
});

test("the error names the refused entry without its password", () => {
  expect(() => createAllowList(["a b"])).toThrow('"a b" is not a host');
  expect(() => createAllowList(["name:secret@localhost"])).toThrow('"…@localhost" is not a host');
});

import { expect, test } from "vitest";
import { serverUrl } from "./server-url.ts";

const PAGE = "https://example.com/app/page?q=1";

test.each([
  ["http://localhost:8000", undefined, "http://localhost:8000"],
  ["http://localhost:8000/", undefined, "http://localhost:8000"],
  ["https://example.com/jobs//", undefined, "https://example.com/jobs"],
  ["http://localhost:8000/", PAGE, "http://localhost:8000"],
  ["/jobs/", PAGE, "https://example.com/jobs"],
  ["/", PAGE, "https://example.com"],
  ["", PAGE, "https://example.com"],
  ["/jobs/", undefined, "/jobs"],
  ["", undefined, ""],
])("the address %j on the page %j is %j", (given, page, url) => {
  expect(serverUrl(given, page)).toBe(url);
});

test.each([
  "localhost:8000",
  "127.0.0.1:8000",
  "ws://localhost:8000",
  "//localhost:8000",
  "jobs",
  "http://",
  "http://localhost:8000/?a=1",
  "http://localhost:8000/#a",
  undefined as unknown as string,
])("the address %j is refused, with an example of one", (given) => {
  for (const page of [undefined, PAGE]) {
    expect(() => serverUrl(given, page)).toThrow(`The url "${given}" of the client is not`);
  }
});

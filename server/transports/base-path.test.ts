import { expect, test } from "vitest";
import { basePathOf, withoutBase } from "./base-path.ts";

test.each([
  ["", ""],
  ["/", ""],
  ["/jobs", "/jobs"],
  ["/jobs/", "/jobs"],
  ["/a/b-c_d.e~f", "/a/b-c_d.e~f"],
  ["/a//", "/a"],
])("the base %j is %j", (text, path) => {
  expect(basePathOf(text)).toBe(path);
});

test.each([
  "jobs",
  "//jobs",
  "/a//b",
  "/../x",
  "/a/..",
  "/a/./b",
  "/a b",
  "/%6aobs",
  "/jobs?x",
  "/jobs#x",
  '/"><script>',
  "https://example.com/jobs",
])("%j is no base", (text) => {
  expect(basePathOf(text)).toBeUndefined();
});

test.each([
  ["/jobs", "/"],
  ["/jobs/", "/"],
  ["/jobs?x=1", "/?x=1"],
  ["/jobs/trpc/job.get?input=%7B%7D", "/trpc/job.get?input=%7B%7D"],
  ["/jobs//x", "//x"],
])("%j is %j below /jobs", (url, inside) => {
  expect(withoutBase(url, "/jobs")).toBe(inside);
});

test.each(["/", "/job", "/jobs2", "/jobs-x/trpc", "/JOBS/", "//jobs/", "/%6aobs/", "*", undefined])(
  "%j is not below /jobs",
  (url) => {
    expect(withoutBase(url, "/jobs")).toBeUndefined();
  },
);

test("everything is below the root", () => {
  expect(withoutBase("/x?y", "")).toBe("/x?y");
});

import { expect, test } from "vitest";
import { plainLine, plainName } from "./plain-text.ts";

test.each([
  ["plain, ünï 😀\tand\n  two lines", "plain, ünï 😀\tand\n  two lines"],
  ["\u001B[1;31mred\u001B[0m, \u001B[2K\u001B[1Gagain", "red, again"],
  ["\u001B]8;;https://x.test\u0007a link\u001B]8;;\u001B\\", "a link"],
  ["50 %\r100 %\r\ndone", "50 %\n100 %\ndone"],
  [
    "nul \0, bell \u0007, escape \u001B, delete \u007F, next \u0085",
    "nul ␀, bell ␇, escape ␛, delete ␡, next �",
  ],
  ["\u202Eevil\u202C \u2067x\u2069", "evil x"],
  ["שלום עולם", "שלום עולם"],
])("a line of a log, %j, is shown as %j", (line, shown) => {
  expect(plainLine(line)).toBe(shown);
});

test.each([
  ["ann", "ann"],
  ["\u202Egnorts\u202C", "gnorts"],
  ["a\nb\0", "a b"],
  ["👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"],
  ["\u202E", "?"],
  ["", "?"],
])("the name %j is shown as %j", (user, shown) => {
  expect(plainName(user)).toBe(shown);
});

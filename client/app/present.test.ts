import { expect, test } from "vitest";
import type { Presence } from "#shared/presence.ts";
import { hueOf, initialsOf, listOf, othersIn, writingNow } from "./present.ts";

function presence(users: string[], count: number): Presence {
  const people = users.map((user) => ({ user, since: new Date() }));
  const guests = count - users.length;
  return { count, guests, people, typing: { count: 0, people: [] }, at: new Date() };
}

test("the others are all but the person, who may be a guest", () => {
  expect(othersIn(presence(["ann", "bob"], 4), "ann")).toEqual({ names: ["bob"], more: 2 });
  expect(othersIn(presence([], 3), undefined)).toEqual({ names: [], more: 2 });
  expect(othersIn(presence(["ann"], 1), "ann")).toEqual({ names: [], more: 0 });
  // The person is not counted yet.
  expect(othersIn(presence([], 0), "ann")).toEqual({ names: [], more: 0 });
});

test.each([
  [["Ann"], 0, "Ann"],
  [["Ann", "Bob"], 0, "Ann and Bob"],
  [["Ann", "Bob"], 1, "Ann, Bob, and 1 other"],
  [["Ann", "Bob", "Kim", "Lee", "Mia"], 2, "Ann, Bob, Kim, and 4 others"],
  [[], 1, "1 person"],
  [[], 7, "7 people"],
  [["\u202EAnn"], 0, "Ann"],
])("%j and %i more are told as a list", (names, more, text) => {
  expect(listOf({ names, more })).toBe(text);
});

test.each([
  [[], 0, ""],
  [["Ann"], 1, "Ann is writing…"],
  [["Ann", "Bob"], 2, "Ann and Bob are writing…"],
  [["Ann"], 3, "Ann and 2 others are writing…"],
  [[], 1, "Another person is writing…"],
  [[], 2, "2 people are writing…"],
])("%j of %i who write are told in a sentence", (people, count, text) => {
  expect(writingNow(people, count)).toBe(text);
});

test.each([
  ["ann", "AN"],
  ["ann.bell@example.com", "AB"],
  ["Ann Maria Bell", "AM"],
  ["auth0|12ab", "A1"],
  ["😀🎉x", "😀🎉"],
  ["@", "@"],
  ["ß", "SS"],
  ["\u202E\u0000ann", "AN"],
  ["\u202E", "?"],
])("the initials of %j are %j", (user, initials) => {
  expect(initialsOf(user)).toBe(initials);
});

test("a person has one colour", () => {
  expect(hueOf("ann")).toBe(hueOf("ann"));
  expect(hueOf("ann")).not.toBe(hueOf("bob"));
  expect(hueOf("x".repeat(300))).toBeLessThan(360);
});

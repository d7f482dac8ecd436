import { expect, test } from "vitest";
import { othersWhoType } from "./presence.ts";

test.each([
  ["of this tab", ["ann"], 1, true, [[], 0]],
  ["of another tab", ["ann", "bob"], 2, false, [["bob"], 1]],
  ["of whom the server does not know yet", ["bob"], 1, true, [["bob"], 1]],
  ["beyond those who are named", ["bob", "kim"], 5, true, [["bob", "kim"], 4]],
  ["who does not write", ["bob"], 3, false, [["bob"], 3]],
  ["whose word has not begun to count", [], 0, true, [[], 0]],
])(
  "[W5] a user %s is not one of the others who write",
  (_which, people, count, isTyping, others) => {
    const shown = othersWhoType({ count, people }, { user: "ann", isTyping });
    expect([shown.people, shown.count]).toEqual(others);
  },
);

test("[W5] without a name, a user who writes in this tab is one of those who are counted", () => {
  const guests = { count: 2, people: [] };
  expect(othersWhoType(guests, { user: undefined, isTyping: true }).count).toBe(1);
  expect(othersWhoType(guests, { user: undefined, isTyping: false }).count).toBe(2);
});

/** The page's words for presence: the others, for the person who looks. */
import type { Presence } from "#shared/presence.ts";
import { plainName } from "./plain-text.ts";

export interface Others {
  /** Newest first. There may be more of them. */
  names: readonly string[];
  /** How many are neither the person nor among the names. */
  more: number;
}

/** `user`: the person's user id. Without one they are a guest themselves, on the page of a share link for example. */
export function othersIn(presence: Presence, user: string | undefined): Others {
  const names = presence.people.map((person) => person.user).filter((name) => name !== user);
  return { names, more: Math.max(0, presence.count - 1 - names.length) };
}

const LISTED = 3;

/** `Ann, Bob and 4 others` */
export function listOf({ names, more }: Others): string {
  const listed = names.slice(0, LISTED).map(plainName);
  const rest = more + names.length - listed.length;
  const nouns = listed.length === 0 ? ["person", "people"] : ["other", "others"];
  const words = rest === 0 ? listed : [...listed, `${rest} ${nouns[rest === 1 ? 0 : 1]}`];
  return new Intl.ListFormat("en").format(words);
}

/** `Ann is writing…`; empty if no other person writes. */
export function writingNow(people: readonly string[], count: number): string {
  const more = Math.max(0, count - people.length);
  if (people.length + more === 0) return "";
  if (people.length === 0 && more === 1) return "Another person is writing…";
  const verb = people.length + more === 1 ? "is" : "are";
  return `${listOf({ names: people, more })} ${verb} writing…`;
}

/** Two letters at most: `AB` for `ann.bell@example.com`. */
export function initialsOf(user: string): string {
  const name = plainName(user);
  const [local = ""] = name.split("@");
  const words = (local === "" ? name : local).split(/[\s._+|:/-]+/).filter((word) => word !== "");
  const [first = name, second] = words;
  const letters = second === undefined ? lettersOf(first) : [first, second].flatMap(firstLetterOf);
  return letters.slice(0, 2).join("").toLocaleUpperCase("en");
}

/** As a reader counts them: an emoji or a letter with its accents is one. */
function lettersOf(text: string): string[] {
  return Array.from(new Intl.Segmenter("en").segment(text), ({ segment }) => segment);
}

const firstLetterOf = (text: string) => lettersOf(text).slice(0, 1);

/** The same hue, in degrees, each time and on each page. */
export function hueOf(user: string): number {
  let hash = 0;
  for (const letter of user) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 360_007;
  return hash % 360;
}

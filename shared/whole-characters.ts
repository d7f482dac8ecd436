import { wellFormed } from "./cut-text.ts";

/**
 * Makes pieces of a text well-formed Unicode. A surrogate pair that is split between two pieces comes whole with the
 * second; a first half without its second is dropped.
 */
export function createWholeCharacters(): (piece: string) => string {
  let held = "";
  return (piece) => {
    const text = held + piece;
    const last = text.charCodeAt(text.length - 1);
    const cut = last >= 0xd800 && last <= 0xdbff;
    held = cut ? text.slice(-1) : "";
    return wellFormed(cut ? text.slice(0, -1) : text);
  };
}

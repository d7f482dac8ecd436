/**
 * Measures a JSON text before it is parsed. 16 MiB of brackets become a gigabyte of arrays, 16 MiB of short keys take the
 * parser more than a second, and code that recurses over a value overflows the stack after some thousand levels.
 */

/** Levels of arrays and objects in a client's message. Requests of this API use fewer than ten. */
export const MAX_NESTING = 200;
/** Values in a client's message: twenty-five for each job of the largest batch. */
export const MAX_VALUES = 250_000;

export interface JsonShape {
  /** Levels of arrays and objects. */
  depth: number;
  /** Elements of the outermost array, or members of the outermost object. */
  items: number;
  /** Arrays, objects, their members and elements, in total. */
  values: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

/** Takes time linear in the length of the text, which need not be valid JSON. Stops at depth `maxDepth` + 1. */
export function jsonShape(text: string, maxDepth: number): JsonShape {
  let depth = 0;
  let deepest = 0;
  let outerCommas = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === COMMA) {
      values += 1;
      if (depth === 1) outerCommas += 1;
    } else if (opens(code)) {
      values += 1;
      depth += 1;
      if (depth > deepest) deepest = depth;
      if (deepest > maxDepth) break;
    } else if (closes(code)) {
      depth -= 1;
    }
  }
  return { depth: deepest, items: outerCommas + 1, values };
}

/** Returns the index of the closing quotation mark of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at += 1;
  }
  return text.length;
}

/** True for `[` and `{`, which differ in one bit. */
function opens(code: number): boolean {
  return (code & ~0x20) === 0x5b;
}

/** True for `]` and `}`. */
function closes(code: number): boolean {
  return (code & ~0x20) === 0x5d;
}

/** Derives nearly valid texts from valid ones, as a broken or hostile client might send them. Seeded, so repeatable. */
export interface Random {
  /** A number from 0 to `below` - 1. */
  int(below: number): number;
  pick<T>(items: readonly T[]): T;
}

/** mulberry32, by Tommy Ettinger; in the public domain. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const int = (below: number) => next() % below;
  return { int, pick: (items) => items[int(items.length)] as (typeof items)[number] };
}

const PIECES = [
  "null",
  "[]",
  "{}",
  '""',
  "-1",
  "1e999",
  "true",
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":{}}}',
  '"\\u0000"',
  "[".repeat(500),
  '{"a":'.repeat(200),
  "9".repeat(400),
  "é😀\u2028",
  '"id":null,',
  '"meta":{"values":[["typed-array","Uint8Array"]]},',
  '{"json":{"length":2000000000},"meta":{"values":[["typed-array","Float64Array"]]}}',
  '{"json":[[1,2]],"meta":{"values":["map"],"referentialEqualities":[["0"]],"v":1}}',
  '["undefined"]',
  '[["Date"]]',
  ",",
  "}",
  '"',
  "\\",
  " ",
];

type Change = (text: string, random: Random) => string;

const CHANGES: readonly Change[] = [
  (text) => text,
  (text, random) => text.slice(0, random.int(text.length + 1)),
  (text, random) => text.slice(random.int(text.length + 1)),
  (text) => text + text,
  (text, random) => insert(text, random.pick(PIECES), random),
  (text, random) => insert(text, String.fromCodePoint(random.int(0xd800)), random),
  // Replaces one value by another.
  (text, random) => text.replace(/"[^"]*"|\d+|\{\}|\[\]/, () => random.pick(PIECES)),
  (text, random) => {
    const values = [...text.matchAll(/"[^"]*"(?!:)|\d+/g)];
    if (values.length === 0) return text;
    const { index, 0: value } = random.pick(values);
    return text.slice(0, index) + random.pick(PIECES) + text.slice(index + value.length);
  },
  (text, random) => {
    const at = random.int(text.length + 1);
    return text.slice(0, at) + text.slice(at + 1 + random.int(5));
  },
  (text) => `[${text},${text}]`,
  // Batches, as messages and as bodies.
  (text, random) => `[${Array<string>(random.int(600)).fill(text.slice(0, 200)).join(",")}]`,
  (text) => `{"0":${text},"1":${text}}`,
  (_, random) => Array.from({ length: random.int(40) }, () => random.pick(PIECES)).join(""),
];

function insert(text: string, piece: string, random: Random): string {
  const at = random.int(text.length + 1);
  return text.slice(0, at) + piece + text.slice(at);
}

/** Splits a text into pieces of random lengths, including empty ones. */
export function cut(text: string, random: Random): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const length = random.int(random.pick([2, 20, 1000]));
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}

export function mutate(text: string, random: Random): string {
  let changed = text;
  for (let times = random.int(3); times >= 0; times--)
    changed = random.pick(CHANGES)(changed, random);
  return changed;
}

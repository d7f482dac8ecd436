/** Which of its forms a client wants an answer in (RFC 9110, 12.5.1). */

export const JSON_TYPE = "application/json";
export const EVENTS_TYPE = "text/event-stream";

/** Returns the first of the types that the client wants most; `undefined` if it wants none of them. */
export function acceptedOf(
  header: string | undefined,
  types: readonly string[],
): string | undefined {
  if (header === undefined || header.trim() === "") return types[0];
  const ranges = header.split(",").map(rangeOf);
  let best: { type: string; weight: number } | undefined;
  for (const type of types) {
    const weight = weightOf(type, ranges);
    if (weight > (best?.weight ?? 0)) best = { type, weight };
  }
  return best?.type;
}

interface Range {
  type: string;
  weight: number;
}

function rangeOf(text: string): Range {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const q = parameters.find((each) => each.startsWith("q="))?.slice(2);
  const weight = q === undefined ? 1 : Number(q);
  return { type, weight: Number.isNaN(weight) ? 0 : weight };
}

/** The most specific range decides. */
function weightOf(type: string, ranges: readonly Range[]): number {
  const group = `${type.slice(0, type.indexOf("/"))}/*`;
  for (const name of [type, group, "*/*"]) {
    const range = ranges.find((each) => each.type === name);
    if (range !== undefined) return range.weight;
  }
  return 0;
}

/** Chooses how an answer is compressed, by what its client accepts (RFC 9110, 12.5.3). */

export type Coding = "br" | "gzip";

/** A weight of RFC 9110: 0 to 1 with up to three decimals. */
const WEIGHT = /^q=([01](?:\.\d{0,3})?)$/i;

/**
 * Returns the coding with the greatest weight, the first one of several with the same; `undefined` if the answer goes out as
 * it is: the client names none of these, refuses them (`gzip;q=0`), or prefers `identity`.
 */
export function codingFor(
  accepted: string | undefined,
  offered: readonly Coding[],
): Coding | undefined {
  if (accepted === undefined) return undefined;
  const weights = weightsIn(accepted);
  const weightOf = (coding: string) => weights.get(coding) ?? weights.get("*") ?? 0;
  let best: Coding | undefined;
  let most = weights.get("identity") ?? 0;
  for (const coding of offered) {
    const weight = weightOf(coding);
    // A coding with the weight of `identity` is no worse for the client, and smaller.
    if (weight > 0 && (best === undefined ? weight >= most : weight > most)) {
      best = coding;
      most = weight;
    }
  }
  return best;
}

function weightsIn(accepted: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const part of accepted.split(",")) {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    const coding = name === "x-gzip" ? "gzip" : name;
    const [parameter] = parameters;
    // A weight that cannot be read refuses: the answer then goes out as it is.
    const weight = parameter === undefined ? 1 : Number(WEIGHT.exec(parameter)?.[1] ?? 0);
    if (coding !== "") weights.set(coding, Math.min(weight, 1));
  }
  return weights;
}

/** Adds a name to the header `Vary`, unless it is there. */
export function withVary(
  vary: string | number | readonly string[] | undefined,
  name: string,
): string {
  const names = String(vary ?? "")
    .split(",")
    .map((text) => text.trim())
    .filter((text) => text !== "");
  const isThere = names.some((text) => text === "*" || text.toLowerCase() === name.toLowerCase());
  return [...names, ...(isThere ? [] : [name])].join(", ");
}

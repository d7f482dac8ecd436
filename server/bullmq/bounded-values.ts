/** Values of another program's Redis within the bounds of records. They may be of any size and no JSON at all. Pure. */
import { copyAsJson, NotJson } from "#server/jobs/copy-as-json.ts";
import { inBytes, wellFormed } from "#shared/cut-text.ts";

/** Stands for a value that cannot be shown. */
export interface NotShown {
  notShown: string;
}

export function tooLarge(bytes: number, maxBytes: number): NotShown {
  return { notShown: `It has ${inBytes(bytes)}; the limit is ${inBytes(maxBytes)}.` };
}

/** The value of a JSON text, or what stands for it. Lone surrogates in texts are replaced. */
export function jsonOf(text: string, maxBytes: number): unknown {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) return tooLarge(bytes, maxBytes);
  try {
    const value: unknown = JSON.parse(text, (_key, part: unknown) =>
      typeof part === "string" ? wellFormed(part) : part,
    );
    const copy = copyAsJson(value, "input", maxBytes);
    // Escapes can take more bytes than what was parsed.
    const size = Buffer.byteLength(JSON.stringify(copy));
    return size > maxBytes ? tooLarge(size, maxBytes) : copy;
  } catch (error) {
    if (error instanceof NotJson) return { notShown: "It is nested too deeply, or no Unicode." };
    if (error instanceof SyntaxError) return { notShown: "It is no JSON." };
    // The parser recurses.
    if (error instanceof RangeError) return { notShown: "It is nested too deeply." };
    throw error;
  }
}

/** A number in the text of a field, if it is a finite one. */
export function numberOf(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || text === "") return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** A day, by which clocks of other machines may differ. */
const SKEW_MS = 86_400_000;

/** A time in ms as BullMQ stores it. `fallback` for what cannot be one. */
export function timeOf(ms: number | undefined, fallback: Date): Date {
  const isTime = ms !== undefined && ms >= 0 && ms <= fallback.getTime() + SKEW_MS;
  return isTime ? new Date(ms) : fallback;
}

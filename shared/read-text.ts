/** Values of JSON that people type: in forms, in CSV files, at a terminal. Pure. */

/** `error`: what is wrong, for people. */
export type Read = { value: unknown } | { error: string };

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

export function readNumber(typed: string, whole: boolean): Read {
  const text = typed.trim();
  const value = NUMBER.test(text) ? Number(text) : NaN;
  if (whole && !Number.isSafeInteger(value)) return { error: `“${text}” is not a whole number` };
  return Number.isFinite(value) ? { value } : { error: `“${text}” is not a number, such as 1.5` };
}

export function readJson(text: string): Read {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { error: `Is not JSON: ${(error as SyntaxError).message}` };
  }
}

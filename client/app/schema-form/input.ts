/** The input that a form's texts make, and back. Pure. The server checks all that is not needed to write it as JSON. */
import { type Field, textOf } from "./fields.ts";

/** By the names of fields. */
export type Texts = Readonly<Record<string, string>>;
/** The same. A map, because a field can have the name of an inherited property such as `constructor`. */
export type FieldErrors = ReadonlyMap<string, string>;
type Read = { value: unknown } | { error: string };

export function initialTexts(fields: readonly Field[]): Texts {
  return Object.fromEntries(fields.map(({ name, initial }) => [name, initial]));
}

/** `input` has what could be read. */
export function makeInput(
  fields: readonly Field[],
  texts: Texts,
): { input: Record<string, unknown>; errors: FieldErrors } {
  const read = fields.flatMap((field) => {
    const one = readField(field, texts[field.name] ?? "");
    return one === undefined ? [] : [{ name: field.name, ...one }];
  });
  const values = read.flatMap((one) => ("value" in one ? [[one.name, one.value] as const] : []));
  const errors = read.flatMap((one) => ("error" in one ? [[one.name, one.error] as const] : []));
  return { input: Object.fromEntries(values), errors: new Map(errors) };
}

/** `undefined` for what is left out. */
function readField({ control, isRequired, isNullable }: Field, text: string): Read | undefined {
  if (text.trim() === "") {
    if (!isRequired) return undefined;
    if (isNullable) return { value: null };
    return control.is === "list" ? { value: [] } : { error: "Is missing" };
  }
  if (control.is === "text") return { value: text };
  if (control.is === "number") return readNumber(text, control.whole);
  if (control.is !== "list") return readJson(text);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (control.of === "string") return { value: lines };
  const numbers = lines.map((line) => readNumber(line, control.of === "integer"));
  const wrong = numbers.find((one) => "error" in one);
  return wrong ?? { value: numbers.map((one) => "value" in one && one.value) };
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

function readNumber(typed: string, whole: boolean): Read {
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

/** `undefined` for an input that the form would not give back as it is. */
export function textsOf(fields: readonly Field[], input: unknown): Texts | undefined {
  if (typeof input !== "object" || input === null) return undefined;
  const given = new Map(Object.entries(input));
  const texts = fields.map(({ name, control }) => {
    const value: unknown = given.get(name) ?? undefined;
    return [name, value === undefined ? "" : textOf(control, value)] as const;
  });
  const again = makeInput(fields, Object.fromEntries(texts));
  if (canonical(again.input) !== canonical(input)) return undefined;
  const absent = fields.filter(({ name }) => !given.has(name));
  // An absent value counts as its default, so a checkbox must show the default.
  return { ...Object.fromEntries(texts), ...initialTexts(absent) };
}

/** JSON with sorted names. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

/** Splits the server's errors, `{ "input.sizes.0": ["…"] }`, into those at fields, and those that belong to no field. */
export function placeErrors(
  fields: readonly Field[],
  given: Readonly<Record<string, string[]>>,
): { errors: FieldErrors; others: string[] } {
  const errors = new Map<string, string>();
  const others: string[] = [];
  for (const [path, [message = "Is not valid"]] of Object.entries(given)) {
    const place = path.replace(/^input\.?/, "");
    const field = fields.find(({ name }) => place === name || place.startsWith(`${name}.`));
    const within = field === undefined ? place : place.slice(field.name.length + 1);
    const words = field?.control.is === "list" ? `Item ${Number(within) + 1}` : within;
    const text = within === "" ? message : `${words}: ${message}`;
    if (field === undefined) others.push(text);
    else errors.set(field.name, errors.get(field.name) ?? text);
  }
  return { errors, others };
}

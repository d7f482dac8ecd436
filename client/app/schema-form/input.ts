/** The input that a form makes, and back. Pure. The server checks all that is not needed to write it as JSON. */
import { type Draft, draftOf, emptyDraft, type Group, type Part } from "./draft.ts";
import { readJson, readNumber } from "#shared/read-text.ts";
import { type Field, isGroup } from "./fields.ts";

/**
 * By the places of fields: the keys of the parts from the root on, `-0-2`. The form itself has the place "", and the name of a
 * record's entry the place of its value with `-name`.
 */
export type FieldErrors = ReadonlyMap<string, string>;

export const placeOf = (place: string, { key }: Part) => `${place}-${key}`;
export const nameOf = (place: string) => `${place}-name`;

/** `input` has what could be read; `undefined` if that is nothing. */
export function makeInput(form: Field, draft: Draft): { input: unknown; errors: FieldErrors } {
  const errors = new Map<string, string>();
  return { input: read(form, draft, "", errors), errors };
}

/** `undefined` for what is left out, and for what has an error. */
function read(field: Field, draft: Draft, place: string, errors: Map<string, string>): unknown {
  const { control } = field;
  if (!isGroup(control)) {
    return readText(field, typeof draft === "string" ? draft : "", place, errors);
  }
  if (typeof draft === "string") return undefined;
  const within = (of: Field, part: Part) => read(of, part.draft, placeOf(place, part), errors);
  const leave = () => absent(field, place, errors);
  switch (control.is) {
    case "object": {
      if (!draft.given) return leave();
      const values = control.fields.map((one, index) => {
        const part = draft.parts[index];
        return [one.name, part && within(one, part)] as const;
      });
      return Object.fromEntries(values.filter(([, value]) => value !== undefined));
    }
    case "array":
      if (draft.parts.length === 0) return emptied(field, []);
      return draft.parts.map((part) => within(control.item, part));
    case "record": {
      if (draft.parts.length === 0) return emptied(field, {});
      checkNames(draft.parts, place, errors);
      const values = draft.parts.map((part) => [part.name, within(control.value, part)] as const);
      return Object.fromEntries(values);
    }
    case "union": {
      const option = control.options[draft.chosen];
      const [part] = draft.parts;
      return option === undefined || part === undefined ? leave() : within(option.field, part);
    }
  }
}

/** A list that a person has emptied is left out, unless the server would put its default there. */
function emptied(field: Field, empty: unknown): unknown {
  if (!field.isRequired) return field.default === undefined ? undefined : empty;
  return field.isNullable ? null : empty;
}

function absent(field: Field, place: string, errors: Map<string, string>): unknown {
  if (!field.isRequired) return undefined;
  if (field.isNullable) return null;
  errors.set(place, "Is missing");
  return undefined;
}

function checkNames(parts: readonly Part[], place: string, errors: Map<string, string>): void {
  const known = new Set<string>();
  for (const part of parts) {
    const at = nameOf(placeOf(place, part));
    if (part.name === "") errors.set(at, "Is missing");
    else if (known.has(part.name)) errors.set(at, "Stands here twice");
    known.add(part.name);
  }
}

function readText(field: Field, text: string, place: string, errors: Map<string, string>): unknown {
  const { control } = field;
  if (text.trim() === "") return absent(field, place, errors);
  if (control.is === "text") return control.type === "datetime-local" ? toUtc(text) : text;
  const read = control.is === "number" ? readNumber(text, control.whole) : readJson(text);
  if ("value" in read) return read.value;
  errors.set(place, read.error);
  return undefined;
}

/** A value for which the browser's control has no text is left to the server. */
function toUtc(text: string): string {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : at.toISOString().replace(".000Z", "Z");
}

/** `undefined` for an input that the form would not give back as it is. */
export function draftOfInput(form: Field, input: unknown): Draft | undefined {
  const again = makeInput(form, draftOf(form, input, emptyDraft)).input;
  if (canonical(again) !== canonical(input)) return undefined;
  // An absent value counts as its default, so a checkbox must show the default.
  return draftOf(form, input);
}

/** JSON with sorted names. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

/** Splits the server's errors, `{ "input.sizes.0": ["…"] }`, into those at fields, and those that belong to no field. */
export function placeErrors(
  form: Field,
  draft: Draft,
  given: Readonly<Record<string, string[]>>,
): { errors: FieldErrors; others: string[] } {
  const errors = new Map<string, string>();
  const others: string[] = [];
  for (const [path, [message = "Is not valid"]] of Object.entries(given)) {
    const inInput = path === "input" || path.startsWith("input.");
    const { place, rest } = inInput
      ? find(form, draft, path.slice("input.".length), "")
      : { place: "", rest: path };
    const text = rest === "" ? message : `${rest}: ${message}`;
    if (place === "") others.push(text);
    else errors.set(place, errors.get(place) ?? text);
  }
  return { errors, others };
}

/** The innermost field that is shown and that the path leads to. `rest`: the path within it. */
function find(
  { control }: Field,
  draft: Draft,
  path: string,
  place: string,
): { place: string; rest: string } {
  if (typeof draft === "string" || path === "") return { place, rest: path };
  if (control.is === "union") {
    const [part] = draft.parts;
    const option = control.options[draft.chosen];
    return option === undefined || part === undefined
      ? { place, rest: path }
      : find(option.field, part.draft, path, placeOf(place, part));
  }
  for (const { name, field, part } of namedParts(control, draft)) {
    const isIt = path === name || path.startsWith(`${name}.`);
    if (isIt) return find(field, part.draft, path.slice(name.length + 1), placeOf(place, part));
  }
  return { place, rest: path };
}

function namedParts(control: Field["control"], { parts }: Group) {
  return parts.flatMap((part, index) => {
    if (control.is === "array") return [{ name: String(index), field: control.item, part }];
    if (control.is === "record") return [{ name: part.name, field: control.value, part }];
    const field = control.is === "object" ? control.fields[index] : undefined;
    return field === undefined ? [] : [{ name: field.name, field, part }];
  });
}

/** The article form's fields as texts, what is wrong with them, and the input they make. Pure. */
import { ArticleInput, LlmProvider, WritingStrategy } from "#shared/article.ts";

export type ArticleFields = Record<keyof ArticleInput, string>;
export type FieldErrors = Partial<Record<keyof ArticleInput, string>>;

const DEFAULTS: ArticleFields = {
  publisherDomain: "",
  targetUrl: "",
  anchorText: "",
  llmProvider: "auto",
  writingStrategy: "multi_stage",
  country: "",
};

export interface Sample {
  name: string;
  fields: ArticleFields;
}

/** Pairs of the sample pages that come with the server: they need no network. */
export function samplesOf({
  host,
  origin,
}: {
  host: string;
  origin: string;
}): [Sample, ...Sample[]] {
  const sample = (name: string, publisher: string, target: string, anchorText: string): Sample => ({
    name,
    fields: {
      ...DEFAULTS,
      publisherDomain: `${host}/samples/${publisher}/`,
      targetUrl: `${origin}/samples/${target}/`,
      anchorText,
    },
  });
  return [
    sample("Balcony gardening", "publisher", "target", "self-watering planters"),
    sample("Household money", "household", "savings", "emergency fund"),
    sample("På svenska", "sv/publisher", "sv/target", "cykelbelysning för vintern"),
    sample("Too little text: ends blocked", "publisher", "thin", "our shop"),
  ];
}

const CHOICES: Partial<Record<keyof ArticleFields, readonly string[]>> = {
  llmProvider: LlmProvider.options,
  writingStrategy: WritingStrategy.options,
};

/**
 * What the form begins with: what the address asks for, or else the first sample. A choice that the form does not
 * have is left out: a list would show another one than it sends.
 */
export function fieldsFrom(
  query: string,
  location: { host: string; origin: string },
): ArticleFields {
  const asked = new URLSearchParams(query);
  const names = Object.keys(DEFAULTS) as (keyof ArticleFields)[];
  if (!names.some((name) => asked.has(name))) return samplesOf(location)[0].fields;
  const fields = { ...DEFAULTS };
  for (const name of names) {
    const value = asked.get(name);
    if (value !== null && CHOICES[name]?.includes(value) !== false) fields[name] = value;
  }
  return fields;
}

/** People copy publishers from address bars. A bare host has no use for the slash at its end; a path keeps it. */
export function publisherOf(typed: string): string {
  return typed
    .trim()
    .replace(/^https?:\/\//i, "")
    .replace(/^([^/]+)\/$/, "$1");
}

export function checkFields(
  fields: Partial<ArticleFields>,
): { input: ArticleInput; errors?: undefined } | { input?: undefined; errors: FieldErrors } {
  const given = Object.fromEntries(Object.entries(fields).filter(([, text]) => text.trim() !== ""));
  if (given.publisherDomain !== undefined)
    given.publisherDomain = publisherOf(given.publisherDomain);
  const parsed = ArticleInput.safeParse(given);
  if (parsed.success) return { input: parsed.data };
  const errors: FieldErrors = {};
  for (const { path, message } of parsed.error.issues) {
    const field = path[0] as keyof ArticleInput;
    errors[field] ??= given[field] === undefined ? "Is missing" : message;
  }
  return { errors };
}

/** What the server says of single fields: `{ "input.targetUrl": ["…"] }`. */
export function serverErrors(fieldErrors: Record<string, string[]>): FieldErrors {
  const errors: FieldErrors = {};
  for (const [path, [message = "Is not valid"]] of Object.entries(fieldErrors)) {
    errors[path.replace(/^input\./, "") as keyof ArticleInput] ??= message;
  }
  return errors;
}

/** The article form's fields as texts, their errors, and the input that they make. Pure. */
import { ArticleInputSchema } from "#shared/article/article.schema.ts";
import { type ArticleInput, LLM_PROVIDERS, WRITING_STRATEGIES } from "#shared/article/article.ts";

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

/** Pairs of sample pages of the server at `url`, which need no network. */
export function samplesOf(url: string): [Sample, ...Sample[]] {
  const publishers = url.replace(/^https?:\/\//, "");
  const sample = (name: string, publisher: string, target: string, anchorText: string): Sample => ({
    name,
    fields: {
      ...DEFAULTS,
      publisherDomain: `${publishers}/samples/${publisher}/`,
      targetUrl: `${url}/samples/${target}/`,
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
  llmProvider: LLM_PROVIDERS,
  writingStrategy: WRITING_STRATEGIES,
};

/**
 * Initial values of the form: those in the address, or else the first sample. An unknown choice is ignored, because
 * the list would then show another value than the form sends.
 */
export function fieldsFrom(query: string, url: string): ArticleFields {
  const asked = new URLSearchParams(query);
  const names = Object.keys(DEFAULTS) as (keyof ArticleFields)[];
  if (!names.some((name) => asked.has(name))) return samplesOf(url)[0].fields;
  const fields = { ...DEFAULTS };
  for (const name of names) {
    const value = asked.get(name);
    if (value !== null && CHOICES[name]?.includes(value) !== false) fields[name] = value;
  }
  return fields;
}

/** Accepts publishers pasted from address bars. A bare host loses its final slash; a path keeps it. */
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
  const parsed = ArticleInputSchema.safeParse(given);
  if (parsed.success) return { input: parsed.data };
  const errors: FieldErrors = {};
  for (const { path, message } of parsed.error.issues) {
    const field = path[0] as keyof ArticleInput;
    errors[field] ??= given[field] === undefined ? "Is missing" : message;
  }
  return { errors };
}

/** The server's errors by field: `{ "input.targetUrl": ["…"] }`. */
export function serverErrors(fieldErrors: Record<string, string[]>): FieldErrors {
  const errors: FieldErrors = {};
  for (const [path, [message = "Is not valid"]] of Object.entries(fieldErrors)) {
    errors[path.replace(/^input\./, "") as keyof ArticleInput] ??= message;
  }
  return errors;
}

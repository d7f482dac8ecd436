/** The article form's fields as texts, what is wrong with them, and the input they make. Pure. */
import { ArticleInput } from "#shared/article.ts";

export type ArticleFields = Record<keyof ArticleInput, string>;
export type FieldErrors = Partial<Record<keyof ArticleInput, string>>;

/** The sample pages that come with the server: they need no network. */
export function sampleFields(location: { host: string; origin: string }): ArticleFields {
  return {
    publisherDomain: `${location.host}/samples/publisher/`,
    targetUrl: `${location.origin}/samples/target/`,
    anchorText: "self-watering planters",
    llmProvider: "auto",
    writingStrategy: "multi_stage",
    country: "",
  };
}

export function checkFields(
  fields: Partial<ArticleFields>,
): { input: ArticleInput; errors?: undefined } | { input?: undefined; errors: FieldErrors } {
  const given = Object.fromEntries(Object.entries(fields).filter(([, text]) => text.trim() !== ""));
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

/** Checks the details that a kind's code reports, by the kind's own schema, and copies them as plain JSON. */
import { z } from "zod";
import { type AnyKind, Failure } from "#server/kinds/define.ts";
import { isInstance } from "#shared/errors.ts";
import { MAX_DETAILS_BYTES } from "#shared/limits.ts";
import { pathText } from "./copy-as-json.ts";
import { plainJson } from "./plain-json.ts";
import { issuesText } from "./schema-issues.ts";

/**
 * Throws `DETAILS_TOO_LARGE`, a `TypeError` where the kind has no schema or the details do not fit it or are no JSON, and
 * what the schema itself throws.
 */
export function checkedDetails(
  { name, details: schema }: Pick<AnyKind, "name" | "details">,
  given: unknown,
): unknown {
  if (schema === undefined) {
    throw new TypeError(
      `\`progress\` was given details, but the kind "${name}" declares none. Add a \`details\` schema to the kind`,
    );
  }
  const plain = plainJson(parsed(schema, given), MAX_DETAILS_BYTES, "output");
  if (plain.ok) return plain.value;
  const at = plain.path.length === 0 ? "" : ` at ${pathText(plain.path)}`;
  const text = `The \`details\` of a report${at} ${plain.what}`;
  throw plain.fault === "large" ? new Failure("DETAILS_TOO_LARGE", text) : new TypeError(text);
}

function parsed(schema: z.ZodType, given: unknown): unknown {
  let result: ReturnType<typeof schema.safeParse>;
  try {
    result = schema.safeParse(given);
  } catch (error) {
    if (!isInstance(error, z.core.$ZodAsyncError)) throw error;
    const text = "The `details` schema is asynchronous, and details are checked synchronously";
    throw new TypeError(text, { cause: error });
  }
  if (result.success) return result.data;
  const text = `The \`details\` of a report do not fit the kind's schema. ${issuesText(result.error.issues)}`;
  throw new TypeError(text);
}

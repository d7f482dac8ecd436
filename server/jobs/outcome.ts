/** Turns the value that a kind returned into the change that ends its job. */
import { type AnyKind, Failure, outcomeOf } from "#server/kinds/define.ts";
import { cutText } from "#shared/cut-text.ts";
import { MAX_MESSAGE_CHARS, MAX_OUTPUT_BYTES } from "#shared/limits.ts";
import { checkSchema, sentenceOf } from "./check-schema.ts";
import { pathText } from "./copy-as-json.ts";
import { runForeign, warnOfStray } from "./foreign-code.ts";
import { plainJson } from "./plain-json.ts";
import type { Ending } from "./retry.ts";

/**
 * Throws a `TypeError` for a message that is no text and for an output that does not fit the kind's schema or is no JSON, and
 * `OUTPUT_TOO_LARGE` where the output is too large. Calls the code of the schema.
 */
export function endingOf(returned: unknown, schema: AnyKind["output"]): Ending {
  const { status, message, output } = outcomeOf(returned);
  if (typeof message !== "string") {
    const what = message === null ? "null" : typeof message;
    throw new TypeError(`The \`message\` of an outcome must be text, but it is ${what}`);
  }
  const sent = jsonOf(output);
  const checked = runForeign(warnOfStray, () => checkSchema(schema, sent, "output"));
  if (!checked.ok) {
    const issues = checked.issues.map((issue) => sentenceOf("output", issue)).join(" ");
    throw new TypeError(`The output does not fit the schema of the kind. ${issues}`);
  }
  const action = status === "delivered" ? "deliver" : "block";
  // The schema can make it larger, or no JSON.
  const stored = jsonOf(checked.value);
  return { action, message: cutText(message, MAX_MESSAGE_CHARS), output: stored };
}

function jsonOf(output: unknown): unknown {
  const plain = plainJson(output, MAX_OUTPUT_BYTES, "output");
  if (plain.ok) return plain.value;
  const { path, what, fault } = plain;
  const at = path.length === 0 ? "" : ` at ${pathText(path)}`;
  const text = `The output${at} ${what}`;
  throw fault === "large" ? new Failure("OUTPUT_TOO_LARGE", text) : new TypeError(text);
}
